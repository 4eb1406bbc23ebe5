/** What GET_DIRTY_BITMAP of iommufd answers, and what it answers with success and wrong bits. */

import type { Bench } from "../bench.ts";
import type { Check, Say } from "../check.ts";
import { type Numbers, RawIommufd } from "../iommufd.ts";
import { dirtyMock, MOCK_PAGE, type MockDevice, mockDevice } from "../mock.ts";
import { NOWHERE, words } from "../place.ts";
import { answer, must } from "../raw.ts";
import { mapIoas } from "./ioas.ts";

const PAGES = 16;
const LAST = (1n << 64n) - 1n;

/** 16 pages mapped in a page table with dirty tracking, which is on: 32 pages of the mock IOMMU. */
class Scene {
  readonly iommufd: RawIommufd;
  readonly bench: Bench;
  readonly device: MockDevice;
  readonly ioas: number;
  readonly hwpt: number;
  readonly range: { readonly iova: bigint; readonly size: bigint };

  constructor(iommufd: RawIommufd, bench: Bench) {
    this.iommufd = iommufd;
    this.bench = bench;
    this.device = mockDevice(iommufd, iommufd.ioas());
    this.ioas = iommufd.ioas();
    mapIoas(bench, iommufd, this.ioas, 0, PAGES);
    const { device } = this.device;
    const { result, value } = iommufd.hwpt({ dev_id: device, pt_id: this.ioas, flags: 2 });
    must(result, "HWPT_ALLOC");
    this.hwpt = value;
    this.range = { iova: bench.at(0), size: bench.pages(PAGES) };
    this.track(1);
  }

  track(flags: number): void {
    must(this.iommufd.track({ hwpt_id: this.hwpt, flags }), "SET_DIRTY_TRACKING");
  }

  dirty(...pages: number[]): void {
    dirtyMock(this.iommufd, this.hwpt, this.range, pages);
  }

  /** A good request with some fields changed: the bits, as two words, or the error. */
  get(fields: Numbers = {}, data = this.bench.places.bitmap.address, keep = false): string {
    const { bytes } = this.bench.places.bitmap;
    if (!keep) bytes.fill(0);
    const { iova, size: length } = this.range;
    const all = { hwpt_id: this.hwpt, iova, length, page_size: MOCK_PAGE, ...fields };
    const result = this.iommufd.dirty(all, data);
    return result < 0 ? answer(result) : words(bytes, 2);
  }
}

const check = (
  name: string,
  rule: string,
  run: (scene: Scene, say: Say, bench: Bench) => void,
): Check => ({
  name: `hwpt dirty: ${name}`,
  rule,
  needs: ["iommufd", "mock"],
  run: (bench, say) => {
    using iommufd = RawIommufd.open(bench.kernel);
    run(new Scene(iommufd, bench), say, bench);
  },
});

const row = (name: string, rule: string, fields: (bench: Bench) => Numbers): Check =>
  check(name, rule, (scene, say, bench) => say("GET_DIRTY_BITMAP", scene.get(fields(bench))));

const refused: readonly Check[] = [
  row("an unknown flag, and no page table", "hwpt.get-flags", () => ({ flags: 2, hwpt_id: 999 })),
  row("the reserved field", "hwpt.get-flags", () => ({ __reserved: 1 })),
  row("no page table, and a range beyond 2^64", "hwpt.found", () => ({ hwpt_id: 999, iova: LAST })),
  row("a range beyond 2^64", "hwpt.get-range", (bench) => ({
    iova: LAST - bench.page + 1n,
    length: bench.pages(2),
  })),
  row("a range up to 2^64", "hwpt.get-range", (bench) => ({
    iova: LAST - bench.page + 1n,
    length: bench.page,
  })),
  row("length 0", "hwpt.get-range", () => ({ length: 0n })),
  row("length 0 at iova 0", "hwpt.empty", () => ({ iova: 0n, length: 0n })),
  row("an odd iova", "hwpt.get-align", (bench) => ({ iova: bench.at(0) + 1n, page_size: 0n })),
  row("an odd end", "hwpt.get-align", (bench) => ({ length: bench.pages(PAGES) - 1n })),
  row("page size 0", "hwpt.get-page", () => ({ page_size: 0n })),
  row("an iova off the page", "hwpt.get-page", (bench) => ({
    iova: bench.at(0) + MOCK_PAGE,
    page_size: bench.page,
  })),
  row("an end off the page", "hwpt.get-page", (bench) => ({
    length: bench.pages(PAGES) - MOCK_PAGE,
    page_size: bench.page,
  })),
  check("a page table without tracking", "hwpt.get-tracks", (scene, say) => {
    const { hwpt } = scene.device;
    say("of the kernel's own making", scene.get({ hwpt_id: hwpt }));
    say("page size 0 first", scene.get({ hwpt_id: hwpt, page_size: 0n }));
    say("an address space", scene.get({ hwpt_id: scene.ioas }));
  }),
  check("SET_DIRTY_TRACKING", "hwpt.set-flags", ({ iommufd, hwpt, ioas, device }, say) => {
    const set = (fields: Numbers): string => answer(iommufd.track({ hwpt_id: hwpt, ...fields }));
    say("an unknown flag, and no page table", set({ flags: 2, hwpt_id: 999 }));
    say("the reserved field", set({ flags: 1, __reserved: 1 }));
    say("on again", set({ flags: 1 }));
    say("off", set({ flags: 0 }));
    say("off again", set({ flags: 0 }));
    say("an address space", set({ flags: 1, hwpt_id: ioas }));
    say("made without tracking", set({ flags: 1, hwpt_id: device.hwpt }));
  }),
  check(
    "SET_DIRTY_TRACKING of a page table that was made without",
    "hwpt.set-tracks",
    (scene, say) => {
      const { iommufd, device, ioas } = scene;
      const { value: hwpt_id } = iommufd.hwpt({ dev_id: device.device, pt_id: ioas });
      say("on", answer(iommufd.track({ hwpt_id, flags: 1 })));
      say("off", answer(iommufd.track({ hwpt_id, flags: 0 })));
    },
  ),
];

const bits: readonly Check[] = [
  check("written pages, once", "hwpt.bits", (scene, say) => {
    scene.dirty(0, 3, 31);
    say("a look", scene.get({ flags: 1 }));
    say("taken", scene.get());
    say("again", scene.get());
    scene.dirty(5);
    scene.track(1);
    say("after it was switched on again", scene.get());
  }),
  check("a part of a mapping", "hwpt.bits", (scene, say, bench) => {
    scene.dirty(...Array(32).keys());
    const part = { iova: bench.at(2), length: bench.pages(3) };
    say("three pages", scene.get(part));
    say("again", scene.get(part));
    say("all", scene.get());
  }),
  check("larger pages of the bitmap", "hwpt.bits", (scene, say, bench) => {
    scene.dirty(0, 7);
    say("4 KiB", scene.get({ page_size: bench.page, flags: 1 }));
    say("16 KiB", scene.get({ page_size: bench.pages(4), flags: 1 }));
    say("smaller than an entry", scene.get({ page_size: 1024n, length: bench.pages(4) }));
  }),
  check("two mappings, and one of them mapped anew", "hwpt.bits", (scene, say, bench) => {
    const { iommufd, ioas } = scene;
    mapIoas(bench, iommufd, ioas, PAGES);
    const range = { iova: bench.at(0), size: bench.pages(PAGES + 1) };
    dirtyMock(iommufd, scene.hwpt, range, [1, 31, 32, 33]);
    say("both", scene.get({ length: range.size }));
    dirtyMock(iommufd, scene.hwpt, range, [2, 33]);
    must(iommufd.unmap(ioas, bench.at(PAGES), bench.page).result, "IOAS_UNMAP");
    mapIoas(bench, iommufd, ioas, PAGES);
    say("mapped anew", scene.get({ length: range.size }));
  }),
  check("bits that were set before", "hwpt.bits", (scene, say, bench) => {
    scene.dirty(0);
    bench.places.bitmap.bytes.fill(0).set([0x80, 0x81], 0);
    say("kept", scene.get({}, bench.places.bitmap.address, true));
  }),
  check("an odd place of the bitmap", "hwpt.bits", (scene, say, bench) => {
    scene.dirty(0, 9);
    say("a byte on", scene.get({}, bench.places.bitmap.address + 1n));
  }),
  check("a hole ends the walk", "hwpt.hole", (scene, say, bench) => {
    mapIoas(bench, scene.iommufd, scene.ioas, PAGES + 1);
    const range = { iova: bench.at(0), size: bench.pages(PAGES + 2) };
    dirtyMock(scene.iommufd, scene.hwpt, range, [3, 34, 35]);
    say("with a hole", scene.get({ length: range.size }));
    say("what is behind it", scene.get({ iova: bench.at(PAGES + 1), length: bench.page }));
    say("the hole alone", scene.get({ iova: bench.at(PAGES), length: bench.page }));
  }),
  check("tracking is off", "hwpt.tracking", (scene, say) => {
    scene.dirty(4);
    scene.track(0);
    say("off", scene.get());
    scene.track(1);
    say("on again", scene.get());
  }),
  check("a bad place of the bitmap loses the bits", "hwpt.bitmap", (scene, say, bench) => {
    scene.dirty(4);
    say("nowhere", scene.get({}, NOWHERE));
    say("afterwards", scene.get());
    scene.dirty(4);
    say("to read only", scene.get({}, bench.places.readOnly));
    say("after that", scene.get());
    scene.dirty(4);
    say("nowhere, to look", scene.get({ flags: 1 }, NOWHERE));
    say("it stays", scene.get());
  }),
  check("a page size that is no power of two", "hwpt.page-bit", (scene, say, bench) => {
    scene.dirty(0, 7);
    say("three pages", scene.get({ page_size: bench.pages(3) }));
  }),
];

/** All checks of the file. */
export const hwptDirtyChecks: readonly Check[] = [...refused, ...bits];
