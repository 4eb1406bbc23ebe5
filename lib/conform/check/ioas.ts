/** What an address space of iommufd answers to MAP, without a page table: nothing is pinned. */

import type { Bench } from "../bench.ts";
import type { Check } from "../check.ts";
import { type Numbers, RawIommufd } from "../iommufd.ts";
import { NOWHERE } from "../place.ts";
import { answer, must } from "../raw.ts";

/** FIXED_IOVA, WRITEABLE and READABLE. */
export const [FIXED, WRITE, READ] = [1, 2, 4] as const;
/** All three. */
export const ALL = 7;
const LAST = (1n << 64n) - 1n;

/** Switches huge pages off, so that the unit of the address space is a page. */
export function byPages(iommufd: RawIommufd, ioas: number): void {
  const fields = { option_id: 1, op: 0, object_id: ioas, val64: 0n };
  must(iommufd.option(fields).result, "OPTION HUGE_PAGES");
}

/** A good MAP of some pages of the memory. */
export const good = (bench: Bench, ioas: number, first: number, count = 1): Numbers => ({
  flags: ALL,
  ioas_id: ioas,
  user_va: bench.places.memory.address,
  length: bench.pages(count),
  iova: bench.at(first),
});

/** The same, which must work. */
export function mapIoas(
  bench: Bench,
  iommufd: RawIommufd,
  ioas: number,
  first: number,
  count: number = 1,
): void {
  must(iommufd.map(good(bench, ioas, first, count)).result, "IOAS_MAP");
}

interface Row {
  readonly name: string;
  readonly rule: string;
  readonly request?: (bench: Bench) => Numbers;
}

/** Each row is a good MAP of page 1, but for these fields; page 0 is mapped. */
const rows: readonly Row[] = [
  { name: "a page beside another", rule: "ioas.overlap" },
  { name: "to read", rule: "ioas.map-flags", request: () => ({ flags: FIXED | READ }) },
  { name: "to write", rule: "ioas.map-flags", request: () => ({ flags: FIXED | WRITE }) },
  { name: "an unknown flag", rule: "ioas.map-flags", request: () => ({ flags: ALL | 8 }) },
  { name: "the highest flag", rule: "ioas.map-flags", request: () => ({ flags: 0x8000_0007 }) },
  { name: "the reserved field", rule: "ioas.map-flags", request: () => ({ __reserved: 1 }) },
  {
    name: "an unknown flag and a size that is too large",
    rule: "ioas.map-flags",
    request: () => ({ flags: 8, length: LAST }),
  },
  { name: "iova 2^64 - 1", rule: "ioas.map-max", request: () => ({ iova: LAST }) },
  {
    name: "iova 2^64 - 1 that is not meant",
    rule: "ioas.map-max",
    request: () => ({ flags: READ, iova: LAST }),
  },
  { name: "size 2^64 - 1", rule: "ioas.map-max", request: () => ({ length: LAST }) },
  {
    name: "size 2^64 - 1, for nothing",
    rule: "ioas.map-max",
    request: () => ({ flags: FIXED, length: LAST }),
  },
  { name: "neither to read nor to write", rule: "ioas.map-rights", request: () => ({ flags: 1 }) },
  { name: "no flags", rule: "ioas.map-rights", request: () => ({ flags: 0, ioas_id: 999 }) },
  { name: "an address space 0", rule: "ioas.found", request: () => ({ ioas_id: 0 }) },
  {
    name: "an address space that is not there, and size 0",
    rule: "ioas.found",
    request: () => ({ ioas_id: 999, length: 0n }),
  },
  { name: "size 0", rule: "ioas.map-size", request: () => ({ length: 0n }) },
  {
    name: "size 0 at an odd iova",
    rule: "ioas.map-size",
    request: (bench) => ({ length: 0n, iova: bench.at(1) + 1n }),
  },
  { name: "size 2^64 - 2", rule: "ioas.map-size", request: () => ({ length: LAST - 1n }) },
  {
    name: "memory that wraps",
    rule: "ioas.memory-wrap",
    request: (bench) => ({ user_va: -bench.page & LAST, length: bench.pages(2) }),
  },
  {
    name: "memory that ends at 2^64",
    rule: "ioas.memory-wrap",
    request: (bench) => ({ user_va: LAST - bench.page + 1n }),
  },
  {
    name: "a page and a byte",
    rule: "ioas.size-align",
    request: (bench) => ({ length: bench.page + 1n }),
  },
  {
    name: "half a page",
    rule: "ioas.size-align",
    request: (bench) => ({ length: bench.page / 2n, iova: bench.at(1) + 1n }),
  },
  {
    name: "an odd iova",
    rule: "ioas.iova-align",
    request: (bench) => ({ iova: bench.at(1) + 1n }),
  },
  {
    name: "half a page on",
    rule: "ioas.iova-align",
    request: (bench) => ({ iova: bench.at(0) + bench.page / 2n }),
  },
  {
    name: "beyond 2^64",
    rule: "ioas.wrap",
    request: (bench) => ({ iova: LAST - bench.page + 1n, length: bench.pages(2) }),
  },
  {
    name: "up to 2^64",
    rule: "ioas.wrap",
    request: (bench) => ({ iova: LAST - bench.page + 1n }),
  },
  {
    name: "the same page again",
    rule: "ioas.overlap",
    request: (bench) => ({ iova: bench.at(0) }),
  },
  {
    name: "pages around another",
    rule: "ioas.overlap",
    request: (bench) => ({ iova: bench.at(-1), length: bench.pages(3) }),
  },
  {
    name: "the same page again, of memory at an odd address",
    rule: "ioas.overlap",
    request: (bench) => ({ iova: bench.at(0), user_va: bench.places.memory.address + 1n }),
  },
  {
    name: "memory at an odd address",
    rule: "ioas.memory-align",
    request: (bench) => ({ user_va: bench.places.memory.address + 1n }),
  },
  {
    name: "memory from half a page on",
    rule: "ioas.memory-align",
    request: (bench) => ({ user_va: bench.places.memory.address + bench.page / 2n }),
  },
  { name: "memory that is not there", rule: "ioas.pin", request: () => ({ user_va: NOWHERE }) },
  {
    name: "memory to read only",
    rule: "ioas.pin",
    request: (bench) => ({ user_va: bench.places.readOnly }),
  },
  {
    name: "at an address of the kernel's choice",
    rule: "ioas.space",
    request: () => ({ flags: READ, iova: 5n }),
  },
];

const table = rows.map(({ name, rule, request }): Check => ({
  name: `ioas map: ${name}`,
  rule,
  needs: ["iommufd"],
  run: (bench, say) => {
    using iommufd = RawIommufd.open(bench.kernel);
    const ioas = iommufd.ioas();
    byPages(iommufd, ioas);
    mapIoas(bench, iommufd, ioas, 0);
    say("IOAS_MAP", answer(iommufd.map({ ...good(bench, ioas, 1), ...request?.(bench) }).result));
    say("pages mapped", bench.count(iommufd.unmapAll(ioas)));
  },
}));

const others: readonly Check[] = [
  {
    name: "ioas map: bytes, where there is no unit",
    rule: "ioas.size-align",
    needs: ["iommufd"],
    run: (bench, say) => {
      using iommufd = RawIommufd.open(bench.kernel);
      const ioas = iommufd.ioas();
      const odd = { iova: bench.at(1) + 3n, length: 5n };
      const { address } = bench.places.memory;
      const map = (more: Numbers): string =>
        answer(iommufd.map({ ...good(bench, ioas, 1), ...more }).result);
      say("5 bytes", map({ ...odd, user_va: address + 1n }));
      say("5 bytes beside them", map({ ...odd, iova: odd.iova + 5n }));
      say("5 bytes over them", map({ ...odd, iova: odd.iova + 9n }));
      say("bytes mapped", `${iommufd.unmapAll(ioas)}`);
    },
  },
  {
    name: "ioas map: addresses of the kernel's choice",
    rule: "ioas.space",
    needs: ["iommufd"],
    run: (bench, say) => {
      using iommufd = RawIommufd.open(bench.kernel);
      const ioas = iommufd.ioas();
      // One page each: larger ones are aligned as their memory happens to be.
      const map = (more: Numbers = {}): string => {
        const { result, value } = iommufd.map({ ...good(bench, ioas, 0), flags: READ, ...more });
        return result < 0 ? answer(result) : `0x${value.toString(16)}`;
      };
      say("the first page", map());
      must(iommufd.map({ ...good(bench, ioas, 0), iova: 0x2000n }).result, "IOAS_MAP at 0x2000");
      say("behind a mapping", map());
      say("memory at an odd address", map({ user_va: bench.places.memory.address + 5n }));
      say("size 2^63", map({ length: 1n << 63n, user_va: 0n }));
      must(iommufd.allow(ioas, [[0x9000n, 0xafffn]]), "ALLOW_IOVAS");
      say("in what is allowed", map());
      say("the rest of that", map());
      say("no room", map());
      say("a given address that is not allowed", map({ flags: ALL, iova: 0x40000n }));
      must(iommufd.allow(ioas, []), "ALLOW_IOVAS");
      say("all allowed again", map());
    },
  },
];

/** All checks of the file. */
export const ioasChecks: readonly Check[] = [...table, ...others];
