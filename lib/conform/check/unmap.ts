/** What UNMAP_DMA answers, and what is mapped afterwards. */

import { VFIO_IOMMU_UNMAP_DMA } from "../../uapi/request.ts";
import type { Bench } from "../bench.ts";
import type { Check } from "../check.ts";
import type { RangeFields, RawContainer } from "../container.ts";
import { answer, must, NULL } from "../raw.ts";
import { all, mapPages, start, unmapPages } from "./request.ts";
import { type UnmapRow, withBitmap } from "./unmap_bitmap.ts";

const [ALL, VADDR] = [2, 4];
const END = 1n << 64n;

const fields = (name: string, rule: string, request: Partial<RangeFields>): UnmapRow => ({
  name,
  rule,
  request: () => request,
});

const plain: readonly UnmapRow[] = [
  { name: "one mapping", rule: "unmap.flags" },
  fields("argsz 0", "unmap.argsz", { argsz: 0 }),
  fields("argsz 23", "unmap.argsz", { argsz: 23 }),
  fields("argsz 25", "unmap.argsz", { argsz: 25 }),
  fields("argsz 4096", "unmap.argsz", { argsz: 4096 }),
  fields("flag 8", "unmap.flags", { flags: 8 }),
  fields("flag 0x80000000", "unmap.flags", { flags: 0x8000_0000 }),
  { name: "iova 8 bytes on", rule: "unmap.align", request: (b) => ({ iova: b.at(0) + 8n }) },
  { name: "size 8 bytes more", rule: "unmap.align", request: (b) => ({ size: b.pages(20) + 8n }) },
  { name: "size 8 bytes less", rule: "unmap.align", request: (b) => ({ size: b.pages(20) - 8n }) },
  fields("size 0", "unmap.size", { size: 0n }),
  {
    name: "beyond 2^64",
    rule: "unmap.wrap",
    request: (b) => ({ iova: END - b.page, size: b.pages(2) }),
  },
  {
    name: "beyond 2^64 from a mapping on",
    rule: "unmap.wrap",
    request: (b) => ({ size: END - b.page }),
  },
  {
    name: "the last page below 2^64",
    rule: "unmap.wrap",
    request: (b) => ({ iova: END - b.page, size: b.page }),
  },
  { name: "up to 2^64", rule: "unmap.wrap", request: (b) => ({ size: END - b.at(0) }) },
  {
    name: "up to the page before 2^64",
    rule: "unmap.wrap",
    request: (b) => ({ size: END - b.at(1) }),
  },
  {
    name: "everything but the last page",
    rule: "unmap.wrap",
    request: (b) => ({ iova: 0n, size: END - b.page }),
  },
  {
    name: "a cut at the head",
    rule: "unmap.cut",
    request: (b) => ({ iova: b.at(1), size: b.pages(19) }),
  },
  { name: "a cut at the tail", rule: "unmap.cut", request: (b) => ({ size: b.pages(19) }) },
  {
    name: "a cut in the middle",
    rule: "unmap.cut",
    request: (b) => ({ iova: b.at(1), size: b.page }),
  },
  { name: "one whole and a cut", rule: "unmap.cut", request: (b) => ({ size: b.pages(31) }) },
  {
    name: "a cut and one whole",
    rule: "unmap.cut",
    request: (b) => ({ iova: b.at(19), size: b.pages(51) }),
  },
  { name: "nothing mapped", rule: "unmap.none", request: () => ({ iova: 1n << 30n }) },
  { name: "the gap", rule: "unmap.none", request: (b) => ({ iova: b.at(20), size: b.pages(10) }) },
  { name: "both", rule: "unmap.none", request: (b) => ({ size: b.pages(70) }) },
  {
    name: "more than both",
    rule: "unmap.none",
    request: (b) => ({ iova: 0n, size: b.at(0) * 2n }),
  },
  fields("ALL", "unmap.all", { flags: ALL, iova: 0n, size: 0n }),
  fields("ALL with a size", "unmap.all", { flags: ALL, iova: 0n }),
  {
    name: "ALL with one page",
    rule: "unmap.all",
    request: (b) => ({ flags: ALL, iova: 0n, size: b.page }),
  },
  fields("ALL with an iova", "unmap.all", { flags: ALL, size: 0n }),
  fields("ALL with iova 8", "unmap.align", { flags: ALL, iova: 8n, size: 0n }),
  fields("VADDR keeps the mapping", "unmap.vaddr", { flags: VADDR }),
  fields("VADDR where nothing is mapped", "unmap.vaddr", { flags: VADDR, iova: 1n << 30n }),
  {
    name: "VADDR of both",
    rule: "unmap.vaddr",
    request: (b) => ({ flags: VADDR, size: b.pages(70) }),
  },
  {
    name: "VADDR with a cut",
    rule: "unmap.cut",
    request: (b) => ({ flags: VADDR, size: b.pages(19) }),
  },
  fields("VADDR and ALL", "unmap.vaddr", { flags: VADDR | ALL, iova: 0n, size: 0n }),
  fields("VADDR and ALL with a size", "unmap.all", { flags: VADDR | ALL, iova: 0n }),
  fields("VADDR and flag 8", "unmap.flags", { flags: VADDR | 8 }),
  {
    name: "beyond 2^64, and size between pages",
    rule: "unmap.align",
    request: (b) => ({ iova: END - b.page, size: b.page + 8n }),
  },
  {
    name: "beyond 2^64, and flag 8",
    rule: "unmap.flags",
    request: (b) => ({ iova: END - b.page, size: b.pages(2), flags: 8 }),
  },
  {
    name: "beyond 2^64, and ALL",
    rule: "unmap.all",
    request: (b) => ({ iova: END - b.page, size: b.pages(2), flags: ALL }),
  },
];

/** Pages 0 to 19 are mapped, and 30 to 69. */
function mapped(bench: Bench, type: "v1" | "v2" = "v2"): RawContainer {
  using stack = new DisposableStack();
  const container = stack.use(bench.container(bench.pci, type));
  mapPages(bench, container, 0, 20);
  mapPages(bench, container, 30, 40);
  stack.move();
  return container;
}

/** The size that a request leaves in the struct. */
function written(bench: Bench, request: RangeFields, size: bigint): string {
  return size === request.size ? "as given" : bench.count(size);
}

function check(kind: "unmap" | "unmap with bitmap", row: UnmapRow): Check {
  return {
    name: `${kind}: ${row.name}`,
    rule: row.rule,
    source: "vfio_dma_do_unmap",
    needs: ["container"],
    run: (bench, say) => {
      using container = mapped(bench);
      const bitmap = kind === "unmap with bitmap";
      if (bitmap) start(container);
      const { page, places: { bitmap: { address: data } } } = bench;
      const first = { ...all, flags: 0, iova: bench.at(0), size: bench.pages(20) };
      const good = bitmap
        ? { ...first, argsz: 48, flags: 1, pgsize: page, bitmap_size: 8n, data }
        : first;
      const request = { ...good, ...row.request?.(bench) };
      const { result, size } = container.unmap(request);
      say("UNMAP", answer(result));
      say("size written back", written(bench, request, size));
      if (bitmap) {
        const words = new BigUint64Array(bench.places.bitmap.bytes.buffer, 0, 2);
        say("bitmap", [...words].map((word) => `0x${word.toString(16)}`).join(" "));
      }
      say("pages still mapped", bench.count(container.unmap(all).size));
    },
  };
}

const others: readonly Check[] = [
  {
    name: "unmap: an argument that is NULL",
    rule: "unmap.argument",
    source: "vfio_iommu_type1_unmap_dma",
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container();
      say("UNMAP", answer(container.file.ask(VFIO_IOMMU_UNMAP_DMA, NULL)));
    },
  },
  {
    name: "unmap: ALL of nothing, and twice",
    rule: "unmap.none",
    source: "vfio_dma_do_unmap",
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container();
      const unmap = (): string => {
        const { result, size } = container.unmap(all);
        return `${answer(result)}, ${bench.count(size)}`;
      };
      say("ALL of nothing", unmap());
      mapPages(bench, container, 0, 4);
      say("ALL", unmap());
      say("ALL again", unmap());
    },
  },
  {
    name: "unmap: a v1 container",
    rule: "unmap.v1",
    source: "vfio_dma_do_unmap",
    needs: ["container"],
    run: (bench, say) => {
      using container = mapped(bench, "v1");
      say("a page inside", unmapPages(bench, container, 1, 1));
      say("the first page of 20", unmapPages(bench, container, 0, 1));
      say("the end of one and beyond", unmapPages(bench, container, 31, 100));
      say("from the gap into the next", unmapPages(bench, container, 25, 10));
      say("pages still mapped", bench.count(container.unmap(all).size));
    },
  },
  {
    name: "unmap: a v1 container, pages mapped one by one",
    rule: "unmap.v1",
    source: "vfio_dma_do_unmap",
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container(bench.pci, "v1");
      for (let i = 0; i < 8; i += 1) mapPages(bench, container, i, 1);
      say("pages 2 and 3", unmapPages(bench, container, 2, 2));
      say("ALL", bench.count(container.unmap(all).size));
    },
  },
  {
    name: "unmap with bitmap: not started",
    rule: "unmap.started",
    source: "vfio_iommu_type1_unmap_dma",
    needs: ["container"],
    run: (bench, say) => {
      using container = mapped(bench);
      const { page, places: { bitmap: { address: data } } } = bench;
      const range = { iova: bench.at(0), size: bench.pages(20) };
      const request = { argsz: 48, flags: 1, ...range, pgsize: page, bitmap_size: 8n, data };
      say("UNMAP", answer(container.unmap(request).result));
      say("nothing mapped", answer(container.unmap({ ...request, iova: 1n << 30n }).result));
      say("pages still mapped", bench.count(container.unmap(all).size));
    },
  },
  {
    name: "unmap with bitmap: EFAULT half-way",
    rule: "unmap.bitmap-copy",
    source: "vfio_dma_do_unmap",
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container();
      for (let i = 0; i < 3; i += 1) mapPages(bench, container, 64 * i, 64);
      start(container);
      const { page, places: { half, bitmap } } = bench;
      // Of the bitmap's three words only the first can be written.
      const data = half.address + page - 8n;
      const range = { iova: bench.at(0), size: bench.pages(192), pgsize: page, bitmap_size: 24n };
      const request = { argsz: 48, flags: 1, ...range, data };
      const { result, size } = container.unmap(request);
      say("UNMAP", answer(result));
      say("size written back", written(bench, request, size));
      const view = new DataView(half.bytes.buffer);
      say("the first word", `0x${view.getBigUint64(Number(page) - 8, true).toString(16)}`);
      must(container.dirty({ ...request, flags: 4, data: bitmap.address }), "GET");
      const words = new BigUint64Array(bitmap.bytes.buffer, 0, 3);
      say("GET afterwards", [...words].map((word) => `0x${word.toString(16)}`).join(" "));
      say("pages still mapped", bench.count(container.unmap(all).size));
    },
  },
];

/** All checks of the file. */
export const unmapChecks: readonly Check[] = [
  ...plain.map((row) => check("unmap", row)),
  ...withBitmap.map((row) => check("unmap with bitmap", row)),
  ...others,
];
