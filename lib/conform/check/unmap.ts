/** What UNMAP_DMA answers, and what is mapped afterwards. */

import { VFIO_IOMMU_UNMAP_DMA } from "../../uapi/request.ts";
import type { Bench } from "../bench.ts";
import type { Check } from "../check.ts";
import type { RangeFields, RawContainer } from "../container.ts";
import { answer, must, NULL } from "../raw.ts";
import { all, mapPages, start, unmapPages } from "./request.ts";
import { bitmapUnmaps, plainUnmaps, type UnmapRow } from "./unmap_rows.ts";

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
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container();
      say("UNMAP", answer(container.file.ask(VFIO_IOMMU_UNMAP_DMA, NULL)));
    },
  },
  {
    name: "unmap: ALL of nothing, and twice",
    rule: "unmap.none",
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
    rule: "dirty.started",
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
    rule: "dirty.copy",
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
  ...plainUnmaps.map((row) => check("unmap", row)),
  ...bitmapUnmaps.map((row) => check("unmap with bitmap", row)),
  ...others,
];
