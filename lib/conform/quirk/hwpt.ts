/**
 * What is odd about the dirty bits of iommufd. The mock IOMMU of the kernel's own tests can make pages
 * dirty; with a device of the host none is, and only the answers are seen.
 */

import { HostMemory } from "../../sys/memory.ts";
import type { Bench } from "../bench.ts";
import { byPages, mapIoas } from "../check/ioas.ts";
import { type Numbers, RawIommufd } from "../iommufd.ts";
import { dirtyMock, HUGE_IOVA, MOCK_PAGE, mockDevice } from "../mock.ts";
import { RawNode } from "../node.ts";
import { NOWHERE } from "../place.ts";
import { answer, must, Unprepared } from "../raw.ts";
import type { GuardedArea } from "./area.ts";
import type { Finding, Quirk } from "./quirk.ts";

const FILE = "drivers/iommu/iommufd";
const PAGES = 16;
const MiB = 1n << 20n;
/** FIXED_IOVA, WRITEABLE and READABLE. */
const ALL = 7;

/** A page table that tracks dirty pages, of the mock IOMMU or of the first device's. */
class Table implements Disposable {
  readonly iommufd: RawIommufd;
  readonly ioas: number;
  readonly hwpt: number;
  readonly isMock: boolean;
  readonly #bench: Bench;
  readonly #area: GuardedArea;
  readonly #stack: DisposableStack;

  constructor(bench: Bench, area: GuardedArea, map: (table: Table) => void, flags = 0) {
    using stack = new DisposableStack();
    this.#bench = bench;
    this.#area = area;
    this.iommufd = stack.use(RawIommufd.open(bench.kernel));
    this.isMock = bench.missing(["mock"]) === undefined;
    const { iommufd, isMock } = this;
    const device = isMock
      ? mockDevice(iommufd, iommufd.ioas(), flags).device
      : stack.use(RawNode.open(bench.kernel, bench.nodes[0]!)).mustBind(iommufd);
    this.ioas = iommufd.ioas();
    map(this);
    const { result, value } = iommufd.hwpt({ dev_id: device, pt_id: this.ioas, flags: 2 });
    must(result, "a page table with dirty tracking");
    this.hwpt = value;
    this.track(1);
    this.#stack = stack.move();
  }

  track(flags: number): void {
    must(this.iommufd.track({ hwpt_id: this.hwpt, flags }), "SET_DIRTY_TRACKING");
  }

  /** Makes mock pages of the first pages dirty, where that can be done. */
  dirty(pages: readonly number[], count = PAGES): void {
    if (!this.isMock) return;
    const range = { iova: this.#bench.at(0), size: this.#bench.pages(count) };
    dirtyMock(this.iommufd, this.hwpt, range, pages);
  }

  /** Reads the first pages into the area, zeroed before; gives the answer. */
  get(fields: Numbers = {}, data: bigint = this.#area.address): string {
    this.#area.fill(0);
    const [iova, length] = [this.#bench.at(0), this.#bench.pages(PAGES)];
    const page_size = this.isMock ? MOCK_PAGE : this.#bench.page;
    const all = { hwpt_id: this.hwpt, iova, length, page_size, ...fields };
    return answer(this.iommufd.dirty(all, data));
  }

  /** What a read that should say more has told, and what is lost by it. */
  lost(): string {
    if (!this.isMock) return "";
    const got = this.get();
    if (got !== "OK") throw new Unprepared("a read of what is left", got);
    return this.#area.words(1)[0] === 0n ? ", and the bit is lost" : ", and the bit is kept";
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

type Probe = (table: Table, bench: Bench, area: GuardedArea) => Finding;

/** Sixteen pages, mapped by pages. */
function small(bench: Bench): (table: Table) => void {
  return ({ iommufd, ioas }) => {
    byPages(iommufd, ioas);
    mapIoas(bench, iommufd, ioas, 0, PAGES);
  };
}

const quirk = (name: string, symbol: string, about: string, probe: Probe): Quirk => ({
  name: `hwpt.${name}`,
  about,
  source: `${FILE}/${symbol}`,
  needs: ["iommufd"],
  probe: (bench, area) => {
    const missing = bench.missing(["mock"]) && bench.missing(["node"]);
    if (missing !== undefined) {
      throw new Unprepared("neither a mock device nor one of the host", missing);
    }
    using table = new Table(bench, area, small(bench));
    return probe(table, bench, area);
  },
});

/** A probe of huge entries: 2 MiB that lie together in memory, which makes two entries of the mock IOMMU. */
const huge = (name: string, symbol: string, about: string, probe: Probe): Quirk => ({
  name: `hwpt.${name}`,
  about,
  source: `${FILE}/${symbol}`,
  needs: ["iommufd", "mock"],
  probe: (bench, area) => {
    using memory = HostMemory.allocate(bench.kernel, 2n * MiB, { hugePageSize: 2n * MiB });
    using table = new Table(bench, area, ({ iommufd, ioas }) => {
      const place = { user_va: memory.address, length: memory.size, iova: bench.at(0) };
      must(iommufd.map({ flags: ALL, ioas_id: ioas, ...place }).result, "IOAS_MAP");
    }, HUGE_IOVA);
    return probe(table, bench, area);
  },
});

/** The quirks of dirty bits, in the order in which a script meets them. */
export const hwptQuirks: readonly Quirk[] = [
  quirk(
    "off-ok",
    "io_pagetable.c, __iommu_read_and_clear_dirty",
    "a read while tracking is off is answered with success and no bits",
    (table) => {
      table.dirty([4]);
      table.track(0);
      const got = table.get();
      return { present: got === "OK", evidence: `a read with tracking off: ${got}` };
    },
  ),
  quirk(
    "hole-ok",
    "io_pagetable.c, __iommu_read_and_clear_dirty",
    "a read ends at the first hole, with success; pages behind it are not reported",
    (table, bench, area) => {
      mapIoas(bench, table.iommufd, table.ioas, PAGES + 1);
      table.dirty([3, 34], PAGES + 2);
      const got = table.get({ length: bench.pages(PAGES + 2) });
      const told = area.words(1)[0]!;
      const bits = table.isMock
        ? `; of two dirty pages, one behind the hole, bits 0x${told.toString(16)}`
        : "";
      const all = table.isMock && told === (1n << 3n | 1n << 34n);
      return { present: got === "OK" && !all, evidence: `a read over a hole: ${got}${bits}` };
    },
  ),
  quirk(
    "pointer-ok",
    "iova_bitmap.c, iova_bitmap_set",
    "a bitmap where there is no memory is answered with success, and what was dirty is lost",
    (table) => {
      table.dirty([4]);
      const got = table.get({}, NOWHERE);
      return { present: got === "OK", evidence: `a read into nowhere: ${got}${table.lost()}` };
    },
  ),
  quirk(
    "odd-page",
    "iova_bitmap.c, iova_bitmap_alloc",
    "a page size that is no power of two is taken, as its lowest bit",
    (table, bench) => {
      const got = table.get({ page_size: bench.pages(3), length: bench.pages(12) });
      return { present: got === "OK", evidence: `pages of three pages: ${got}` };
    },
  ),
  quirk(
    "empty-overflow",
    "io_pagetable.c, iommufd_check_iova_range",
    "a range of no bytes is refused with EOVERFLOW; EINVAL in other releases",
    (table) => {
      const got = table.get({ length: 0n });
      return { present: got === "EOVERFLOW", evidence: `length 0: ${got}` };
    },
  ),
  huge(
    "past-bitmap",
    "iova_bitmap.c, iova_bitmap_set",
    "with huge entries bits are set behind the bitmap: all pages of an entry, wherever the range ends",
    (table, bench, area) => {
      table.dirty([0], 512);
      const got = table.get({ length: bench.page });
      const bits = area.outside(1);
      return {
        present: bits > 0,
        evidence:
          `a read of a page of a dirty entry of 1 MiB: ${got}, ${bits} bits outside its byte`,
      };
    },
  ),
  huge(
    "lost-start",
    "selftest.c, mock_domain_read_and_clear_dirty",
    "a read that begins inside a huge entry takes the bit of all of it: the pages before are lost",
    (table, bench, area) => {
      table.dirty([0], 512);
      const got = table.get({ iova: bench.at(1), length: bench.page });
      const bits = area.words(1)[0]! & 3n;
      const after = table.get({ length: bench.page });
      const left = area.words(1)[0]! & 3n;
      return {
        present: got === "OK" && after === "OK" && left === 0n,
        evidence: `a read of its second page: ${got}, ${bits === 0n ? "no bit" : "its bits"}; ` +
          `then one of its first: ${left === 0n ? "no bit" : "its bits"}`,
      };
    },
  ),
];
