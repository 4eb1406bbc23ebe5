/** What an address space of iommufd answers to COPY and UNMAP. */

import type { Bench } from "../bench.ts";
import type { Check, Say } from "../check.ts";
import { type Numbers, RawIommufd } from "../iommufd.ts";
import { answer, must } from "../raw.ts";
import { ALL, byPages, FIXED, good, mapIoas, READ, WRITE } from "./ioas.ts";

const LAST = (1n << 64n) - 1n;

interface Row {
  readonly name: string;
  readonly rule: string;
  readonly request?: (bench: Bench) => Numbers;
}

/**
 * Each row is a good COPY of pages 2 and 3, which are two mappings, to page 0 of another address space,
 * but for these fields. The source has pages 2, 3, and to read 5; the target has page 8.
 */
const rows: readonly Row[] = [
  { name: "across two mappings", rule: "ioas.copy-source" },
  { name: "an unknown flag", rule: "ioas.copy-flags", request: () => ({ flags: 8, length: LAST }) },
  { name: "size 2^64 - 1", rule: "ioas.copy-max", request: () => ({ flags: 1, length: LAST }) },
  { name: "from 2^64 - 1", rule: "ioas.copy-max", request: () => ({ src_iova: LAST }) },
  { name: "to 2^64 - 1", rule: "ioas.copy-max", request: () => ({ dst_iova: LAST }) },
  {
    name: "neither to read nor to write",
    rule: "ioas.copy-rights",
    request: () => ({ flags: FIXED, src_ioas_id: 999 }),
  },
  {
    name: "a source that is not there, and size 0",
    rule: "ioas.copy-found",
    request: () => ({ src_ioas_id: 999, length: 0n }),
  },
  {
    name: "size 0, and a target that is not there",
    rule: "ioas.copy-size",
    request: () => ({ length: 0n, dst_ioas_id: 999 }),
  },
  {
    name: "a source beyond 2^64",
    rule: "ioas.copy-wrap",
    request: () => ({ src_iova: LAST - 1n }),
  },
  {
    name: "a source with a hole",
    rule: "ioas.copy-source",
    request: (bench) => ({ length: bench.pages(3), dst_ioas_id: 999 }),
  },
  {
    name: "a source that begins before a mapping",
    rule: "ioas.copy-source",
    request: (bench) => ({ src_iova: bench.at(1) }),
  },
  { name: "a target that is not there", rule: "ioas.found", request: () => ({ dst_ioas_id: 999 }) },
  {
    name: "an odd size",
    rule: "ioas.size-align",
    request: (bench) => ({ length: bench.page - 1n }),
  },
  {
    name: "to an odd iova",
    rule: "ioas.iova-align",
    request: (bench) => ({ dst_iova: bench.at(0) + 1n }),
  },
  {
    name: "beyond 2^64",
    rule: "ioas.wrap",
    request: (bench) => ({ dst_iova: LAST - bench.page + 1n }),
  },
  {
    name: "over a mapping",
    rule: "ioas.overlap",
    request: (bench) => ({ dst_iova: bench.at(7) }),
  },
  {
    name: "to write what was mapped to read, over a mapping",
    rule: "ioas.overlap",
    request: (bench) => ({ src_iova: bench.at(5), length: bench.page, dst_iova: bench.at(8) }),
  },
  {
    name: "to write what was mapped to read",
    rule: "ioas.copy-writable",
    request: (bench) => ({ src_iova: bench.at(5), length: bench.page }),
  },
  {
    name: "to read what was mapped to read",
    rule: "ioas.copy-writable",
    request: (bench) => ({ flags: FIXED | READ, src_iova: bench.at(5), length: bench.page }),
  },
  {
    name: "from the middle of a page",
    rule: "ioas.memory-align",
    request: (bench) => ({ src_iova: bench.at(2) + 8n, length: bench.page }),
  },
  {
    name: "at an address of the kernel's choice",
    rule: "ioas.space",
    request: () => ({ flags: READ | WRITE }),
  },
];

const table = rows.map(({ name, rule, request }): Check => ({
  name: `ioas copy: ${name}`,
  rule,
  needs: ["iommufd"],
  run: (bench, say) => {
    using iommufd = RawIommufd.open(bench.kernel);
    const [from, to] = [iommufd.ioas(), iommufd.ioas()];
    mapIoas(bench, iommufd, from, 2);
    mapIoas(bench, iommufd, from, 3);
    must(iommufd.map({ ...good(bench, from, 5), flags: FIXED | READ }).result, "IOAS_MAP to read");
    byPages(iommufd, to);
    mapIoas(bench, iommufd, to, 8);
    const { result } = iommufd.copy({
      flags: ALL,
      src_ioas_id: from,
      dst_ioas_id: to,
      src_iova: bench.at(2),
      dst_iova: bench.at(0),
      length: bench.pages(2),
      ...request?.(bench),
    });
    say("IOAS_COPY", answer(result));
    say("pages mapped", bench.count(iommufd.unmapAll(to)));
    say("pages of the source", bench.count(iommufd.unmapAll(from)));
  },
}));

interface UnmapRow {
  readonly name: string;
  readonly rule: string;
  /** First page and count, or addresses. */
  readonly range: (bench: Bench) => readonly [bigint, bigint];
}

/** Pages 0 and 1 are a mapping, 2 is one, and so are 4 and 5. */
const unmaps: readonly UnmapRow[] = [
  { name: "one mapping", rule: "ioas.unmap-none", range: (b) => [b.at(0), b.pages(2)] },
  { name: "two mappings", rule: "ioas.unmap-cut", range: (b) => [b.at(0), b.pages(3)] },
  { name: "with what is around", rule: "ioas.unmap-cut", range: (b) => [b.at(-1), b.pages(4)] },
  { name: "bytes around", rule: "ioas.unmap-cut", range: (b) => [b.at(0) - 1n, b.pages(2) + 5n] },
  { name: "nothing there", rule: "ioas.unmap-none", range: (b) => [b.at(3), b.page] },
  { name: "the first half", rule: "ioas.unmap-cut", range: (b) => [b.at(0), b.page] },
  { name: "the second half", rule: "ioas.unmap-cut", range: (b) => [b.at(1), b.page] },
  {
    name: "two, and half of the third: those before it go",
    rule: "ioas.unmap-cut",
    range: (b) => [b.at(0), b.pages(5)],
  },
  { name: "size 0", rule: "ioas.unmap-size", range: (b) => [b.at(0), 0n] },
  { name: "iova 2^64 - 1, size 0", rule: "ioas.unmap-max", range: () => [LAST, 0n] },
  { name: "size 2^64 - 1 from 1 on", rule: "ioas.unmap-max", range: () => [1n, LAST] },
  { name: "everything", rule: "ioas.unmap-max", range: () => [0n, LAST] },
  { name: "beyond 2^64", rule: "ioas.unmap-wrap", range: (b) => [b.at(0), LAST - 1n] },
  { name: "all but the last byte", rule: "ioas.unmap-wrap", range: () => [0n, LAST - 1n] },
];

function unmapRow({ name, rule, range }: UnmapRow): Check {
  const run = (bench: Bench, say: Say): void => {
    using iommufd = RawIommufd.open(bench.kernel);
    const ioas = iommufd.ioas();
    for (const [first, count] of [[0, 2], [2, 1], [4, 2]] as const) {
      mapIoas(bench, iommufd, ioas, first, count);
    }
    const [iova, size] = range(bench);
    const { result, value } = iommufd.unmap(ioas, iova, size);
    say("IOAS_UNMAP", result < 0 ? answer(result) : bench.count(value));
    say("pages left", bench.count(iommufd.unmapAll(ioas)));
  };
  return { name: `ioas unmap: ${name}`, rule, needs: ["iommufd"], run };
}

const others: readonly Check[] = [{
  name: "ioas unmap: an address space that is not there, or empty",
  rule: "ioas.found",
  needs: ["iommufd"],
  run: (bench, say) => {
    using iommufd = RawIommufd.open(bench.kernel);
    say("not there, size 0", answer(iommufd.unmap(999, 0n, 0n).result));
    say("not there, everything", answer(iommufd.unmap(999, 0n, LAST).result));
    const { result, value } = iommufd.unmap(iommufd.ioas(), 0n, LAST);
    say("empty, everything", result < 0 ? answer(result) : bench.count(value));
  },
}];

/** All checks of the file. */
export const ioasCopyChecks: readonly Check[] = [...table, ...unmaps.map(unmapRow), ...others];
