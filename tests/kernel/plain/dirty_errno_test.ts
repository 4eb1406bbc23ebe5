/** What DIRTY_PAGES answers, raw: a table of requests, each on a container of its own. */
import { HostMemory, rawLinux as linux } from "../../../mod.ts";
import { DIRTY_RULES } from "../../../lib/rules/dirty.ts";
import { VFIO_IOMMU_DIRTY_PAGES } from "../../../lib/uapi/mod.ts";
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { LOW, PAGE } from "../support/machine.ts";
import { KERNEL_SPACE, Places } from "../support/place.ts";
import { predicts, space } from "../support/predict.ts";
import { answer, type DirtyFields, must, RawContainer } from "../support/raw.ts";

const START = 1;
const STOP = 2;
const GET = 4;

/** 20 pages are mapped at LOW, and 40 more behind a gap of 10; tracking is on. */
interface Row {
  name: string;
  request?: Partial<DirtyFields>;
  /** The bitmap; good by default. */
  bitmap?: (places: Places) => bigint;
  answer: string;
}

const pages = (count: number): bigint => BigInt(count) * PAGE;
const top = (1n << 64n) - PAGE;
const EDGE = 1n << 28n; //  largest bitmap in bytes
const NULL = (): bigint => 0n;

const rows: Row[] = [
  { name: "a good GET", answer: "OK" },
  { name: "argsz 0", request: { argsz: 0 }, answer: "EINVAL" },
  { name: "argsz 7", request: { argsz: 7 }, answer: "EINVAL" },
  { name: "GET with argsz 8", request: { argsz: 8 }, answer: "EINVAL" },
  { name: "GET with argsz 47", request: { argsz: 47 }, answer: "EINVAL" },
  { name: "GET with argsz 49", request: { argsz: 49 }, answer: "OK" },
  { name: "GET with argsz 4096", request: { argsz: 4096 }, answer: "OK" },
  { name: "flags 0", request: { flags: 0 }, answer: "EINVAL" },
  { name: "an unknown flag", request: { flags: 8 }, answer: "EINVAL" },
  { name: "GET and an unknown flag", request: { flags: GET | 8 }, answer: "EINVAL" },
  { name: "START and STOP at once", request: { flags: START | STOP }, answer: "EINVAL" },
  { name: "START and GET at once", request: { flags: START | GET }, answer: "EINVAL" },
  { name: "STOP and GET at once", request: { flags: STOP | GET }, answer: "EINVAL" },
  { name: "START again, argsz 8", request: { flags: START, argsz: 8 }, answer: "OK" },
  { name: "START again, argsz 48", request: { flags: START }, answer: "OK" },
  { name: "STOP, argsz 8", request: { flags: STOP, argsz: 8 }, answer: "OK" },
  { name: "iova between pages", request: { iova: LOW + 8n }, answer: "EINVAL" },
  { name: "size between pages", request: { size: PAGE * 20n + 8n }, answer: "EINVAL" },
  { name: "size 0", request: { size: 0n }, answer: "EINVAL" },
  { name: "pgsize 0", request: { pgsize: 0n }, answer: "EINVAL" },
  { name: "pgsize 2048", request: { pgsize: 2048n }, answer: "EINVAL" },
  { name: "pgsize 8192", request: { pgsize: 8192n }, answer: "EINVAL" },
  { name: "pgsize 2 MiB", request: { pgsize: 0x20_0000n }, answer: "EINVAL" },
  { name: "pgsize 4097", request: { pgsize: 4097n }, answer: "EINVAL" },
  { name: "a bitmap of 0 bytes", request: { bitmap_size: 0n }, answer: "EINVAL" },
  {
    name: "212 pages, 24 bytes",
    request: { size: pages(212), bitmap_size: 24n },
    answer: "EINVAL",
  },
  {
    name: "212 pages, 27 bytes",
    request: { size: pages(212), bitmap_size: 27n },
    answer: "EINVAL",
  },
  {
    name: "212 pages, 31 bytes",
    request: { size: pages(212), bitmap_size: 31n },
    answer: "EINVAL",
  },
  { name: "212 pages, 32 bytes", request: { size: pages(212), bitmap_size: 32n }, answer: "OK" },
  { name: "a bitmap of 2^28 + 1 bytes", request: { bitmap_size: EDGE + 1n }, answer: "EINVAL" },
  { name: "a bitmap in the kernel", bitmap: () => KERNEL_SPACE, answer: "EINVAL" },
  { name: "a NULL bitmap", bitmap: NULL, answer: "EFAULT" },
  { name: "a read-only bitmap", bitmap: (at) => at.readOnly, answer: "EFAULT" },
  { name: "an unaligned bitmap", bitmap: (at) => at.good + 3n, answer: "OK" },
  { name: "a cut at the head", request: { iova: LOW + PAGE, size: pages(19) }, answer: "EINVAL" },
  { name: "a cut at the tail", request: { size: pages(19) }, answer: "EINVAL" },
  { name: "a cut in the middle", request: { iova: LOW + PAGE, size: PAGE }, answer: "EINVAL" },
  { name: "a cut of the second", request: { size: pages(31) }, answer: "EINVAL" },
  {
    name: "both mappings and the gap",
    request: { size: pages(70), bitmap_size: 16n },
    answer: "OK",
  },
  { name: "the gap alone", request: { iova: LOW + pages(20), size: pages(10) }, answer: "OK" },
  {
    name: "the gap, NULL bitmap",
    request: { iova: LOW + pages(20), size: pages(10) },
    bitmap: NULL,
    answer: "OK",
  },
  { name: "before all mappings", request: { iova: 0n }, answer: "OK" },
  { name: "beyond all mappings", request: { iova: 1n << 40n }, bitmap: NULL, answer: "OK" },
  {
    name: "more than is mapped",
    request: { iova: LOW - PAGE, size: pages(300), bitmap_size: 40n },
    answer: "OK",
  },
  { name: "beyond 2^64", request: { iova: top, size: pages(2) }, answer: "EINVAL" },
  { name: "the last page below 2^64", request: { iova: top, size: PAGE }, answer: "EINVAL" },
  {
    name: "one page more than 8 TiB",
    request: { iova: 0n, size: (8n << 40n) + PAGE, bitmap_size: EDGE + 8n },
    answer: "EINVAL",
  },
];

const good = { argsz: 48, flags: GET, iova: LOW, size: pages(20), pgsize: PAGE, bitmap_size: 8n };

function mapped(places: Places, type: "v1" | "v2" = "v2"): RawContainer {
  using stack = new DisposableStack();
  const container = stack.use(new RawContainer(type));
  const request = { argsz: 32, flags: 3, vaddr: places.good };
  must(container.map({ ...request, iova: LOW, size: pages(20) }), "the first mapping");
  must(container.map({ ...request, iova: LOW + pages(30), size: pages(40) }), "the second");
  stack.move();
  return container;
}

describe("DIRTY_PAGES, raw", () => {
  for (const { name, request, bitmap, answer: wanted } of rows) {
    it(`${name}: ${wanted}`, () => {
      using places = new Places();
      using container = mapped(places);
      must(container.dirtySwitch(START), "START");
      const data = bitmap?.(places) ?? places.good;
      const fields = { ...good, data, ...request };
      equal(answer(container.dirty(fields)), wanted);
      const { pgsize: pageSize, bitmap_size, data: address } = fields;
      const asked = { ...fields, bitmap: { pageSize, size: bitmap_size, address } };
      const state = { ...space([LOW, 20], [LOW + pages(30), 40]), tracking: true };
      predicts(DIRTY_RULES, asked, state, wanted);
    });
  }

  it("8 TiB with a bitmap of 2^28 bytes: OK", () => {
    using places = new Places();
    using container = mapped(places);
    using bitmap = HostMemory.allocate(linux, EDGE);
    must(container.dirtySwitch(START), "START");
    const request = { ...good, iova: 0n, size: 8n << 40n, bitmap_size: EDGE };
    equal(answer(container.dirty({ ...request, data: bitmap.address })), "OK");
  });

  it("an argument that is NULL: EFAULT", () => {
    using container = new RawContainer();
    const nothing = new Uint8Array(0);
    equal(answer(linux.ioctlBuffer(container.fd, VFIO_IOMMU_DIRTY_PAGES, nothing)), "EFAULT");
  });
});

describe("DIRTY_PAGES, raw, by what came before", () => {
  const get = (container: RawContainer, places: Places): string =>
    answer(container.dirty({ ...good, data: places.good }));

  it("GET before START: EINVAL; after STOP: EINVAL; after START again: OK", () => {
    using places = new Places();
    using container = mapped(places);
    equal(get(container, places), "EINVAL");
    must(container.dirtySwitch(START), "START");
    equal(get(container, places), "OK");
    must(container.dirtySwitch(STOP), "STOP");
    equal(get(container, places), "EINVAL");
    must(container.dirtySwitch(START), "START");
    equal(get(container, places), "OK");
  });

  it("START twice and STOP twice are OK, and one STOP ends both", () => {
    using places = new Places();
    using container = mapped(places);
    equal([STOP, START, START, STOP].map((flag) => answer(container.dirtySwitch(flag))), [
      "OK",
      "OK",
      "OK",
      "OK",
    ]);
    equal(get(container, places), "EINVAL");
    equal(answer(container.dirtySwitch(STOP)), "OK");
  });

  it("on a v1 container everything is EACCES, bad requests too", () => {
    using places = new Places();
    using container = mapped(places, "v1");
    equal([START, STOP, 0, 8].map((flag) => answer(container.dirtySwitch(flag))), [
      "EACCES",
      "EACCES",
      "EACCES",
      "EACCES",
    ]);
    equal(get(container, places), "EACCES");
    const nothing = new Uint8Array(0);
    equal(answer(linux.ioctlBuffer(container.fd, VFIO_IOMMU_DIRTY_PAGES, nothing)), "EACCES");
  });
});
