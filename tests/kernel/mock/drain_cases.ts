/** What the tracker of a page table must do, on any kernel that has the mock IOMMU. */

import {
  DirtyMap,
  type DirtyTracker,
  type HostMemory,
  Iommufd,
  type Kernel,
} from "../../../mod.ts";
import type { Hwpt, Ioas, IoasMapping, TrackOptions } from "../../../mod.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { Random } from "../../unit/random.ts";
import { APERTURE, HUGE_IOVA, makeDirty, MOCK_HUGE, MOCK_PAGE, MockDevice } from "./mock.ts";

const PAGE = 4096n;
const LOW = APERTURE.start;

/** A page table whose entries the test makes dirty, and the pages that must be reported. */
export class Scene implements Disposable {
  readonly iommufd: Iommufd;
  readonly space: Ioas;
  readonly table: Hwpt;
  readonly #stack = new DisposableStack();
  readonly #bits: HostMemory;
  readonly #huge: boolean;

  constructor(kernel: Kernel, huge: boolean) {
    this.#huge = huge;
    this.iommufd = this.#stack.use(Iommufd.open({ kernel }));
    const first = this.iommufd.addressSpace();
    const device = this.#stack.use(
      new MockDevice(this.iommufd, first, huge ? HUGE_IOVA : 0),
    );
    this.space = this.iommufd.addressSpace({ hugePages: huge });
    this.table = this.space.pageTable(device, { dirtyTracking: true });
    this.#bits = this.#stack.use(this.iommufd.allocate(PAGE));
  }

  /** Maps so many pages at a page from the aperture's begin on. */
  map(first: number, pages: number): IoasMapping {
    const hugePageSize = 2n << 20n;
    const size = BigInt(pages) * PAGE;
    const options = this.#huge ? { hugePageSize } : {};
    using memory = this.iommufd.allocate(size, options); // the mapping holds it
    return this.space.map(memory, { iova: LOW + BigInt(first) * PAGE });
  }

  /** Makes the entry of a page dirty; gives the pages that the bitmap is to show for it. */
  touch(page: number, into: Set<number>): void {
    const entry = this.#huge ? Number(MOCK_HUGE / PAGE) : 1;
    const first = page - page % entry;
    this.#bits.bytes[0] = 1;
    const range = { iova: LOW + BigInt(first) * PAGE, size: MOCK_PAGE, pageSize: MOCK_PAGE };
    equal(makeDirty(this.iommufd, this.table.id, range, this.#bits).result, "OK");
    for (let i = 0; i < entry; i += 1) into.add(first + i);
  }

  [Symbol.dispose](): void {
    this.#stack[Symbol.dispose]();
  }
}

const numbers = (pages: Set<number>): number[] => [...pages].toSorted((a, b) => a - b);

function seen(tracker: DirtyTracker, how: "drain" | "peek", maxBitmapBytes?: number): number[] {
  const options = maxBitmapBytes === undefined ? {} : { maxBitmapBytes };
  const map = new DirtyMap(PAGE);
  for (const window of tracker[how](options)) {
    equal(window.label, "written");
    map.add(window);
  }
  const found = new Set<number>();
  for (const { iova, pages } of map.runs()) {
    for (let i = 0; i < pages; i += 1) found.add(Number((iova - LOW) / PAGE) + i);
  }
  return numbers(found);
}

/** One of the things to hold. */
export interface DrainCase {
  readonly name: string;
  /** Whether it takes huge pages of the host. */
  readonly huge: boolean;
  readonly run: (kernel: Kernel) => void;
}

function atRandom(kernel: Kernel, huge: boolean, options: TrackOptions): void {
  using scene = new Scene(kernel, huge);
  const random = new Random(6);
  // Two mappings that touch, a hole, and one more; with huge entries in whole ones.
  const layout: readonly (readonly [number, number])[] = huge
    ? [[0, 1024], [1024, 512], [2048, 2048]]
    : [[3, 130], [133, 64], [300, 1000]];
  for (const [first, pages] of layout) scene.map(first, pages);
  const all = layout.flatMap(([first, pages]) =>
    Array.from({ length: pages }, (_, i) => first + i)
  );
  using tracker = scene.table.trackDirty(options);
  equal([tracker.source, tracker.pageSize, tracker.canPeek], ["hwpt", PAGE, true]);
  for (const budget of [8, 16, 64, 1 << 20, 8, 40]) {
    const wanted = new Set<number>();
    for (let n = random.below(huge ? 4 : 60); n >= 0; n -= 1) scene.touch(random.pick(all), wanted);
    equal(seen(tracker, "peek", budget), numbers(wanted), `a look, ${budget} bytes`);
    equal(seen(tracker, "peek", 1 << 20), numbers(wanted), "and another");
    equal(seen(tracker, "drain", budget), numbers(wanted), `taken, ${budget} bytes`);
    equal(seen(tracker, "drain"), [], "once");
  }
}

function cuts(kernel: Kernel): void {
  using scene = new Scene(kernel, true);
  scene.map(0, 2048);
  const sizes = (options: TrackOptions): bigint[] => {
    using tracker = scene.table.trackDirty(options);
    return [...tracker.drain({ maxBitmapBytes: 8 })].map(({ size }) => size);
  };
  equal(sizes({}), [2048n * PAGE], "what is not known to be safe is not cut");
  equal(sizes({ entrySize: MOCK_HUGE }), Array.from({ length: 8 }, () => MOCK_HUGE));
  // What reading a part of an entry does: the bits of all of it are taken. So nobody may cut there.
  using tracker = scene.table.trackDirty({ entrySize: PAGE });
  scene.touch(0, new Set());
  const found = seen(tracker, "drain", 8);
  ok(found.length < 256, "an entry that is cut loses pages");
}

function unmapped(kernel: Kernel): void {
  using scene = new Scene(kernel, false);
  const low = scene.map(0, 100);
  scene.map(100, 100);
  using tracker = scene.table.trackDirty();
  const wanted = new Set<number>();
  for (const page of [5, 99, 100, 150]) scene.touch(page, wanted);
  low[Symbol.dispose]();
  equal(seen(tracker, "peek"), [5, 99, 100, 150]);
  equal(
    seen(tracker, "drain"),
    [5, 99, 100, 150],
    "what was dirty of it comes with the next drain",
  );
  equal(seen(tracker, "drain"), []);
  // What was read twice and not delivered goes with it too.
  scene.touch(120, wanted);
  equal(tracker.readTwice().first.count, 1);
  scene.space.unmapAll();
  equal(seen(tracker, "drain"), [120]);
  // A mapping that comes later is tracked from then on.
  scene.map(64, 10);
  scene.touch(70, wanted);
  equal(seen(tracker, "drain"), [70]);
}

function once(kernel: Kernel): void {
  using scene = new Scene(kernel, false);
  scene.map(0, 8);
  const tracker = scene.table.trackDirty();
  throws(() => scene.table.trackDirty(), ReferenceError, "tracked already");
  scene.table.setDirtyTracking(false); // somebody does it behind the tracker's back
  throws(() => [...tracker.drain()], ReferenceError, "tracking is off");
  scene.table.setDirtyTracking(true);
  equal([...tracker.drain()].map(({ label, count }) => [label, count]), [["incomplete", 8]]);
  tracker[Symbol.dispose]();
  equal(scene.table.isTracking, false);
  using memory = scene.iommufd.allocate(8n * PAGE);
  using again = scene.table.trackDirty({ pageSize: 2n * PAGE });
  const odd = { iova: LOW + 101n * PAGE };
  throws(() => scene.space.map(memory, odd), RangeError, "whole pages of 0x2000");
  throws(() => scene.space.map(memory), RangeError, "give an iova");
  again[Symbol.dispose]();
  for (const size of [0n, 256n, 3n * PAGE]) {
    throws(() => scene.table.trackDirty({ pageSize: size }), RangeError, "power of two");
    throws(() => scene.table.trackDirty({ entrySize: size }), RangeError, "power of two");
  }
}

/** All of them. */
export const DRAIN_CASES: readonly DrainCase[] = [
  {
    name: "loses and invents nothing in windows of any size, and a look is what the drain takes",
    huge: false,
    run: (kernel) => atRandom(kernel, false, {}),
  },
  {
    name: "the same with huge entries, cut where entries end",
    huge: true,
    run: (kernel) => atRandom(kernel, true, { entrySize: MOCK_HUGE }),
  },
  {
    name: "the same with huge entries, not cut",
    huge: true,
    run: (kernel) => atRandom(kernel, true, {}),
  },
  { name: "cuts mappings only where it is told to, for a reason", huge: true, run: cuts },
  { name: "keeps what was dirty of a mapping that goes", huge: false, run: unmapped },
  { name: "is one at a time, and sees tracking that was switched off", huge: false, run: once },
];
