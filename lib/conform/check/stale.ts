/** The kernel's known defects in bitmaps: stale bits after a shift, shifted bits after EFAULT. */

import type { Bench } from "../bench.ts";
import type { Check, Say } from "../check.ts";
import type { RawContainer } from "../container.ts";
import { words } from "../place.ts";
import type { Pinner } from "../pinner.ts";
import { answer } from "../raw.ts";
import { all, getRequest, mapPages, readWords, start, STOP } from "./request.ts";

const ONE = Uint8Array.of(1);

function check(
  name: string,
  rule: string,
  body: (bench: Bench, container: RawContainer, pinner: Pinner, say: Say) => void,
): Check {
  return {
    name: `stale: ${name}`,
    rule,
    needs: ["mdev"],
    run: (bench, say) => {
      using container = bench.container(bench.mdev);
      using pinner = bench.pinner(container.group, bench.mdev);
      body(bench, container, pinner, say);
    },
  };
}

/** Two neighbours of four pages, at pages 1 and 5; the first is written once. */
function neighbours(bench: Bench, container: RawContainer, pinner: Pinner): void {
  mapPages(bench, container, 1, 4);
  mapPages(bench, container, 5, 4);
  start(container);
  for (let page = 1; page < 5; page += 1) pinner.write(bench.at(page), ONE);
}

/** All checks of the file. */
export const staleChecks: readonly Check[] = [
  check(
    "one written mapping, read with its neighbour",
    "dirty.stale",
    (bench, container, pinner, say) => {
      neighbours(bench, container, pinner);
      for (let i = 1; i <= 5; i += 1) say(`read ${i}`, readWords(bench, container, 0, 64));
      say("alone", readWords(bench, container, 1, 4));
      say("alone again", readWords(bench, container, 1, 4));
      container.dirtySwitch(STOP);
      start(container);
      say("after STOP and START", readWords(bench, container, 0, 64));
    },
  ),
  check("read alone from the first on", "dirty.stale", (bench, container, pinner, say) => {
    neighbours(bench, container, pinner);
    for (let i = 1; i <= 3; i += 1) say(`read ${i}`, readWords(bench, container, 1, 4));
    say("its neighbour", readWords(bench, container, 5, 4));
  }),
  check("UNMAP after a shifted read", "dirty.stale", (bench, container, pinner, say) => {
    neighbours(bench, container, pinner);
    say("read", readWords(bench, container, 0, 64));
    const { bitmap } = bench.places;
    bitmap.bytes.fill(0);
    const range = { iova: bench.at(1), size: bench.pages(4), pgsize: bench.page };
    const request = { ...range, argsz: 48, flags: 1, bitmap_size: 8n, data: bitmap.address };
    say("UNMAP", answer(container.unmap(request).result));
    say("bitmap", words(bitmap.bytes, 1));
    mapPages(bench, container, 1, 4);
    say("mapped again", readWords(bench, container, 0, 64));
  }),
  check(
    "a mapping of more than a word, shifted",
    "dirty.stale",
    (bench, container, pinner, say) => {
      mapPages(bench, container, 10, 100);
      start(container);
      for (const page of [10, 63, 64, 73, 109]) pinner.write(bench.at(page), ONE);
      for (let i = 1; i <= 3; i += 1) say(`read ${i}`, readWords(bench, container, 0, 192));
    },
  ),
  check("a buffer that was not zeroed", "dirty.buffer", (bench, container, _pinner, say) => {
    mapPages(bench, container, 1, 4);
    start(container);
    const { bytes } = bench.places.bitmap;
    bytes.fill(0xff);
    say("GET", answer(container.dirty(getRequest(bench, 0, 64))));
    say("words", words(bytes, 2));
    for (let i = 1; i <= 3; i += 1) say(`zeroed, read ${i}`, readWords(bench, container, 0, 64));
  }),
  check("EFAULT of a shifted mapping", "dirty.copy", (bench, container, pinner, say) => {
    mapPages(bench, container, 3, 8);
    start(container);
    pinner.write(bench.at(4), ONE);
    const get = getRequest(bench, 0, 64);
    say("GET, NULL bitmap", answer(container.dirty({ ...get, data: 0n })));
    say("read", readWords(bench, container, 0, 64));
    say("read again", readWords(bench, container, 0, 64));
  }),
  check("EFAULT of a mapping at a word", "dirty.copy", (bench, container, pinner, say) => {
    mapPages(bench, container, 0, 8);
    start(container);
    pinner.write(bench.at(4), ONE);
    const get = getRequest(bench, 0, 64);
    say("GET, NULL bitmap", answer(container.dirty({ ...get, data: 0n })));
    say(
      "GET, read-only bitmap",
      answer(container.dirty({ ...get, data: bench.places.readOnly })),
    );
    say("read", readWords(bench, container, 0, 64));
    say("read again", readWords(bench, container, 0, 64));
  }),
  check("EFAULT of the second of two mappings", "dirty.copy", (bench, container, pinner, say) => {
    mapPages(bench, container, 0, 64);
    mapPages(bench, container, 64, 64);
    start(container);
    pinner.write(bench.at(4), ONE);
    pinner.write(bench.at(68), ONE);
    const { half } = bench.places;
    const data = half.address + bench.page - 8n;
    say("GET", answer(container.dirty({ ...getRequest(bench, 0, 128), data })));
    say("the first word", words(half.bytes.subarray(Number(bench.page) - 8), 1));
    say("read", readWords(bench, container, 0, 128));
    say("read again", readWords(bench, container, 0, 128));
  }),
  check(
    "UNMAP with EFAULT half-way, of pinned pages",
    "dirty.copy",
    (bench, container, pinner, say) => {
      mapPages(bench, container, 0, 64);
      mapPages(bench, container, 64, 64);
      start(container);
      pinner.pin(bench.at(3));
      pinner.pin(bench.at(68));
      pinner.clear();
      const { half } = bench.places;
      const data = half.address + bench.page - 8n;
      const range = { iova: bench.at(0), size: bench.pages(128), pgsize: bench.page };
      const request = { ...range, argsz: 48, flags: 1, bitmap_size: 16n, data };
      const { result, size } = container.unmap(request);
      say("UNMAP", `${answer(result)}, ${bench.count(size)}`);
      say("the first word", words(half.bytes.subarray(Number(bench.page) - 8), 1));
      const { unmaps, returned, pinned } = pinner.state();
      say("callbacks, pages given back, pages pinned", [unmaps, returned, pinned].join(", "));
      say("read of the second", readWords(bench, container, 64, 64));
      say("read again", readWords(bench, container, 64, 64));
      say("pages still mapped", bench.count(container.unmap(all).size));
    },
  ),
  check("UNMAP with EFAULT of a shifted mapping", "dirty.copy", (bench, container, pinner, say) => {
    mapPages(bench, container, 3, 8);
    start(container);
    pinner.write(bench.at(4), ONE);
    const range = { iova: bench.at(0), size: bench.pages(64), pgsize: bench.page };
    const request = { ...range, argsz: 48, flags: 1, bitmap_size: 8n, data: 0n };
    say("UNMAP, NULL bitmap", answer(container.unmap(request).result));
    say("read", readWords(bench, container, 3, 8));
    say("read again", readWords(bench, container, 3, 8));
    say("pages still mapped", bench.count(container.unmap(all).size));
  }),
];
