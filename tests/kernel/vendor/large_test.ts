/** 2 TiB in one container, of which nothing is touched but what is pinned. */
import { Container, type DirtyWindow, hex, type Mapping } from "../../../mod.ts";
import { equal } from "../../std/assert.ts";
// The thread's event loop has files of its own for a second: nothing counts them there.
import { describe, it as asyncIt } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { PAGE } from "../support/machine.ts";
import { pages, PINS } from "./scene.ts";
import { VendorDevice } from "./vendor_device.ts";

const TiB = 1n << 40n;
const GiB = 1n << 30n;
/** Where the mapping that is one piece begins, and the one of 32 pieces: not on a word of the other. */
const WHOLE = 3n * TiB;
const CUT = 5n * TiB + pages(7);

/** Pages pinned at edges: of mappings, of words of the bitmap, and of pieces. */
const PINNED: readonly (readonly [iova: bigint, pages: number])[] = [
  [WHOLE, 1],
  [WHOLE + pages(63), 2],
  [WHOLE + TiB / 2n - pages(300), 512],
  [WHOLE + TiB - PAGE, 1],
  [CUT + 32n * GiB - PAGE, 1],
  [CUT + 32n * GiB, 1],
  [CUT + 33n * GiB + pages(31), 64],
  [CUT + TiB - pages(65), 65],
];

/** 2 TiB of an mdev, which costs the kernel 64 MiB of bitmap, and this process what is pinned. */
class Large implements Disposable {
  readonly container: Container;
  readonly vendor: VendorDevice;
  readonly whole: Mapping;
  readonly cut: Mapping;
  readonly #stack: DisposableStack;

  constructor() {
    using stack = new DisposableStack();
    this.container = stack.use(Container.open());
    const memory = stack.use(this.container.allocate(TiB));
    const group = stack.use(this.container.attach(PINS));
    this.whole = stack.use(this.container.map(memory, { iova: WHOLE }));
    this.cut = stack.use(this.container.map(memory, { iova: CUT, pieceSize: 32n * GiB }));
    this.vendor = stack.use(new VendorDevice(group));
    this.#stack = stack.move();
  }

  pin(): void {
    for (const [iova, count] of PINNED) this.vendor.pin(iova, count, { oneCall: true });
  }

  unpin(): void {
    for (const [iova, count] of PINNED) this.vendor.unpin(iova, count);
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

/** What a drain gave. */
class Drained {
  readonly windows: string[] = [];
  readonly labels = new Set<string>();
  readonly runs: string[] = [];
  count = 0;
  pages = 0;

  add(window: DirtyWindow): void {
    this.windows.push(`${hex(window.iova)} ${hex(window.size)}`);
    this.labels.add(window.label);
    this.count += window.count;
    this.pages += window.pages;
    for (const { iova, pages } of window.runs()) this.runs.push(`${hex(iova)} ${pages}`);
  }
}

function drained(windows: Iterable<DirtyWindow>): Drained {
  const all = new Drained();
  for (const window of windows) all.add(window);
  return all;
}

/** The runs as they must come: a run that goes over the end of a piece comes in two windows. */
const RUNS = PINNED.map(([iova, count]) => `${hex(iova)} ${count}`);
const COUNT = PINNED.reduce((sum, [, count]) => sum + count, 0);

describe("2 TiB of mappings, drained on a real kernel", () => {
  it("give a window for 1 TiB in one piece, and one for each piece of 1 MiB of bitmap", () => {
    using large = new Large();
    const { container, whole, cut } = large;
    large.pin();
    using tracker = container.trackDirty();
    const wanted = [whole, ...cut.pieces].map(({ iova, size }) => `${hex(iova)} ${hex(size)}`);
    equal(wanted.length, 33);
    for (let round = 0; round < 2; round += 1) {
      const all = drained(tracker.drain());
      equal(all.windows, wanted);
      equal([...all.labels], ["pinned-scope"]);
      equal([all.pages, all.count], [1 << 29, COUNT]);
      equal(all.runs, RUNS);
    }
  });

  it("give the same windows whatever the budget below a piece, and fewer above", () => {
    using large = new Large();
    large.pin();
    using tracker = large.container.trackDirty();
    // The largest has room for all, but the one does not begin on a word of the other's bitmap.
    const sizes = [8, 1 << 20, 4 << 20, 64 << 20, 256 << 20].map((maxBitmapBytes) => {
      const all = drained(tracker.drain({ maxBitmapBytes }));
      equal([all.count, all.runs.length], [COUNT, maxBitmapBytes > 1 << 20 ? 7 : 8]);
      return all.windows.length;
    });
    equal(sizes, [33, 33, 9, 2, 2]);
  });

  asyncIt("are read on another thread with the same content", async () => {
    using large = new Large();
    large.pin();
    using tracker = large.container.trackDirty();
    const here = drained(tracker.drain());
    const there = new Drained();
    for await (const window of tracker.drainAsync()) there.add(window);
    equal(there, here);
    equal(there.runs, RUNS);
  });

  asyncIt("are dirty once more where they were unpinned, and then clean", async () => {
    using large = new Large();
    large.pin();
    using tracker = large.container.trackDirty();
    large.unpin();
    equal(drained(tracker.drain()).runs, RUNS);
    const after = new Drained();
    for await (const window of tracker.drainAsync()) after.add(window);
    equal([after.windows.length, after.count, after.runs], [33, 0, []]);
  });
});
