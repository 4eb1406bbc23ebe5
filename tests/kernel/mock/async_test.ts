/** The tracker of a page table, read by another thread. */
import { DirtyMap, type DirtyTracker, rawLinux as linux } from "../../../mod.ts";
import { equal } from "../../std/assert.ts";
// The thread's event loop has files of its own for a second, so nothing counts them here.
import { describe, it } from "../../std/testing.ts";
import { APERTURE } from "./mock.ts";
import { Scene } from "./drain_cases.ts";

const PAGE = 4096n;

/** The pages of a drain that stops after some windows, counted from the aperture's begin. */
async function read(tracker: DirtyTracker, bytes: number, windows = Infinity): Promise<number[]> {
  const found = new DirtyMap(PAGE);
  let left = windows;
  for await (const window of tracker.drainAsync({ maxBitmapBytes: bytes })) {
    equal(window.label, "written");
    found.add(window);
    left -= 1;
    if (left <= 0) break;
  }
  const pages: number[] = [];
  for (const { iova, pages: count } of found.runs()) {
    for (let i = 0; i < count; i += 1) pages.push(Number((iova - APERTURE.start) / PAGE) + i);
  }
  return pages;
}

describe("the tracker of a page table", () => {
  it("reads with another thread what was written, once", async () => {
    using scene = new Scene(linux, false);
    scene.map(0, 700);
    scene.map(1000, 64);
    using tracker = scene.table.trackDirty();
    const wanted = new Set<number>();
    for (const page of [0, 63, 64, 200, 699, 1000, 1063]) scene.touch(page, wanted);
    equal(await read(tracker, 8), [...wanted]);
    equal(await read(tracker, 8), []);
    scene.touch(5, wanted);
    equal(await read(tracker, 1 << 20), [5], "in one window");
  });

  it("loses nothing of what was read ahead when a drain is left early", async () => {
    using scene = new Scene(linux, false);
    scene.map(0, 256);
    using tracker = scene.table.trackDirty();
    const wanted = new Set<number>();
    for (const page of [1, 70, 130, 200]) scene.touch(page, wanted);
    equal(await read(tracker, 8, 1), [1]);
    scene.touch(2, wanted); // meanwhile
    const rest = await read(tracker, 8);
    equal(rest.toSorted((a, b) => a - b), [2, 70, 130, 200]);
    equal([...tracker.drain()].reduce((sum, { count }) => sum + count, 0), 0);
  });

  it("sums rounds up", async () => {
    using scene = new Scene(linux, false);
    scene.map(0, 64);
    using tracker = scene.table.trackDirty();
    scene.touch(3, new Set());
    const rounds = [];
    for await (const round of tracker.rounds({ interval: 0, count: 2 })) rounds.push(round);
    equal(rounds.map(({ pages, labels }) => [pages, labels]), [[1, ["written"]], [0, ["written"]]]);
  });
});
