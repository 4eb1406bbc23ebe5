import { Container, type DirtyTracker, type DirtyWindow, ERRNO, VfioError } from "../../mod.ts";
import { DEFAULT_MDEV, ModelKernel } from "../../lib/model/mod.ts";
import { equal, ok, rejects, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { LateKernel } from "../support/late_kernel.ts";

const PAGE = 4096n;
const PIECE = 64n * PAGE;
const SCENE = {
  devices: [
    { kind: "mdev", name: DEFAULT_MDEV, group: 1 },
    {
      kind: "pci",
      name: "0000:00:10.0",
      group: 2,
      id: [0x1234, 0x11e8],
      class: 0x00ff00,
      driver: "vfio-pci",
    },
  ],
} as const;
const SMALL = { maxBitmapBytes: 8 } as const;

/** What the tests of this file begin with: eight mappings of 64 pages side by side, tracked. */
interface Stage extends Disposable {
  readonly kernel: LateKernel;
  readonly container: Container;
  readonly tracker: DirtyTracker;
  /** Dirties one page of each of the mappings, once. */
  dirty(...pieces: readonly number[]): void;
}

function stage(kernel: LateKernel = new LateKernel(SCENE)): Stage {
  using stack = new DisposableStack();
  const container = stack.use(Container.open({ kernel }));
  const group = stack.use(container.attach(DEFAULT_MDEV));
  stack.use(group.device());
  const memory = stack.use(container.allocate(8n * PIECE));
  for (let i = 0n; i < 8n; i += 1n) {
    container.map(memory, { iova: i * PIECE, offset: i * PIECE, size: PIECE });
  }
  stack.defer(() => container.unmapAll());
  const tracker = stack.use(container.trackDirty());
  const driver = kernel.vendor(DEFAULT_MDEV);
  const dirty = (...pieces: readonly number[]): void => {
    for (const i of pieces) driver.write(BigInt(i) * PIECE, new Uint8Array(1));
  };
  const owned = stack.move();
  return { kernel, container, tracker, dirty, [Symbol.dispose]: () => owned.dispose() };
}

/** Which mapping a window begins at, and how many pages of it are dirty. */
const seen = (window: DirtyWindow): [number, number] => [
  Number(window.iova / PIECE),
  window.count,
];

/** Waits until a drain has begun a read, or settles. */
async function turn(): Promise<void> {
  for (let i = 0; i < 10; i += 1) await Promise.resolve();
}

describe("an asynchronous drain", () => {
  it("gives the windows of a drain", async () => {
    using here = stage();
    here.dirty(1, 5);
    const windows: [number, number][] = [];
    const told: number[] = [];
    const { tracker, kernel } = here;
    const reader = (async () => {
      const onProgress = ({ size, total }: { size: bigint; total: bigint }): void => {
        told.push(Number(size * 100n / total));
      };
      for await (const window of tracker.drainAsync({ ...SMALL, onProgress })) {
        windows.push(seen(window));
      }
    })();
    for (let i = 0; i < 20; i += 1) {
      await turn();
      kernel.finish();
    }
    await reader;
    equal(windows, [[0, 0], [1, 1], [2, 0], [3, 0], [4, 0], [5, 1], [6, 0], [7, 0]]);
    equal(told, [12, 25, 37, 50, 62, 75, 87, 100]);
    equal([kernel.begun, kernel.waited], [8, 0]);
  });

  it("reads one window ahead, and no more than one", async () => {
    using here = stage();
    const { tracker, kernel } = here;
    const windows = tracker.drainAsync(SMALL);
    const first = windows.next();
    equal([kernel.begun, kernel.isBusy], [1, true]);
    kernel.finish();
    const { value } = await first;
    equal([kernel.begun, seen(value as DirtyWindow)], [2, [0, 0]]);
    kernel.finish();
    await turn();
    equal([kernel.begun, (value as DirtyWindow).isCurrent], [2, true]);
    await windows.return();
  });

  for (const way of ["drain", "drainAsync"] as const) {
    it(`that stops leaves its window to the next ${way}, which begins with it`, async () => {
      using here = stage();
      const { tracker, kernel, dirty } = here;
      dirty(0, 1, 2);
      kernel.hurry();
      for await (const window of tracker.drainAsync(SMALL)) {
        equal(seen(window), [0, 1]);
        break; // the kernel has cleared window 1 by now, or will
      }
      const windows: [number, number][] = [];
      for await (const window of tracker[way](SMALL)) windows.push(seen(window));
      equal(windows.slice(0, 4), [[1, 1], [0, 0], [1, 0], [2, 1]]);
    });
  }

  it("goes on behind a kept window where its cursor stands before it", async () => {
    using here = stage();
    const { tracker, kernel, dirty } = here;
    dirty(1);
    kernel.hurry();
    const cursor = { iova: 0n };
    for await (const _ of tracker.drainAsync({ ...SMALL, cursor })) break;
    const windows: [number, number][] = [];
    for (const window of tracker.drain({ ...SMALL, cursor })) windows.push(seen(window));
    equal(windows.slice(0, 2), [[1, 1], [2, 0]]);
  });

  it("that has ended keeps its cursor, whoever gets what was read for it", async () => {
    using here = stage();
    const { tracker, kernel } = here;
    kernel.hurry();
    const cursor = { iova: 0n };
    for await (const _ of tracker.drainAsync({ ...SMALL, cursor })) break;
    equal([...tracker.drain(SMALL)].length, 9); // the window of before, and all eight
    equal(cursor.iova, PIECE);
    const [window] = tracker.drain({ ...SMALL, cursor });
    equal(window?.iova, PIECE);
  });

  it("ends with the reason of its signal, while the read goes on", async () => {
    using here = stage();
    const { tracker, kernel, dirty } = here;
    dirty(0);
    const controller = new AbortController();
    const first = tracker.drainAsync({ ...SMALL, signal: controller.signal }).next();
    await turn();
    const reason = new Error("enough");
    controller.abort(reason);
    equal(await first.then(() => undefined, (error: unknown) => error), reason);
    ok(kernel.isBusy);
    let idle = false;
    const settled = tracker.idle().then(() => idle = true);
    await turn();
    ok(!idle, "the read is under way");
    kernel.finish();
    await settled;
    equal(kernel.waited, 0);
    const [window] = tracker.drain(SMALL);
    equal(seen(window!), [0, 1]);
  });

  it("says why a read failed, and reports the range as incomplete after that", async () => {
    const kernel = new class extends LateKernel {
      failing = 0;
      override ioctlBuffer(fd: number, request: number, argument: Uint8Array): number {
        const isGet = request === 0x3b75 && argument[4] === 4;
        if (isGet && (this.failing -= 1) === 0) return -ERRNO.EFAULT;
        return super.ioctlBuffer(fd, request, argument);
      }
    }(SCENE);
    using here = stage(kernel);
    kernel.hurry().failing = 2;
    const windows: [number, number][] = [];
    const error = await (async () => {
      for await (const window of here.tracker.drainAsync(SMALL)) windows.push(seen(window));
    })().catch((error: unknown) => error);
    equal(windows, [[0, 0]]);
    ok(error instanceof VfioError, String(error));
    equal([error.code, error.operation], ["EFAULT", "VFIO_IOMMU_DIRTY_PAGES"]);
    const labels = [...here.tracker.drain(SMALL).map(({ label, count }) => [label, count])];
    equal(labels.slice(0, 3), [["pinned-scope", 0], ["incomplete", 64], ["pinned-scope", 0]]);
  });

  it("has the bits of a mapping that goes while it is read", async () => {
    using here = stage();
    const { tracker, kernel, container, dirty } = here;
    dirty(0);
    const windows = tracker.drainAsync(SMALL);
    const first = windows.next();
    await turn();
    const gone = container.mappings[0]!.unmapWithBitmap();
    equal([kernel.waited, gone.count], [1, 1]);
    kernel.hurry();
    equal(seen((await first).value as DirtyWindow), [1, 0]);
  });

  it("is done before a group comes that makes every page dirty", async () => {
    using here = stage();
    const { tracker, kernel, container } = here;
    const windows = tracker.drainAsync(SMALL);
    const first = windows.next();
    await turn();
    using _plain = container.attach("0000:00:10.0");
    equal(kernel.waited, 1);
    const window = (await first).value as DirtyWindow;
    equal([window.label, window.count], ["pinned-scope", 0]);
    await windows.return();
    const labels = [...tracker.drain(SMALL).map(({ label, count }) => [label, count])];
    equal(labels.at(-1), ["all-mapped", 64]);
  });

  it("is done before anything is mapped or unmapped", async () => {
    using here = stage();
    const { tracker, kernel, container } = here;
    using memory = container.allocate(PIECE);
    const changes = [
      () => container.map(memory, { iova: 8n * PIECE }),
      () => container.mappings.at(-1)![Symbol.dispose](),
      () => container.unmapAll(),
    ];
    for (const change of changes) {
      const windows = tracker.drainAsync(SMALL);
      const first = windows.next();
      await turn();
      const before = kernel.waited;
      ok(kernel.isBusy);
      change();
      equal([kernel.waited, kernel.isBusy], [before + 1, false]);
      await turn();
      kernel.finish(); // it may have had to begin anew
      await first;
      await windows.return();
      for (const _ of tracker.drain()); // takes what was read ahead
    }
  });

  it("does not fail because one of several mappings goes, or all do", async () => {
    for (const all of [false, true]) {
      using here = stage();
      const { tracker, kernel, container, dirty } = here;
      dirty(0);
      const first = tracker.drainAsync().next();
      await turn();
      if (all) container.unmapAll();
      else container.mappings[2]![Symbol.dispose]();
      kernel.hurry();
      const { value } = await first;
      equal([value?.label, value?.count], all ? [undefined, undefined] : ["pinned-scope", 1]);
    }
  });

  it("is still called what it had to be, when somebody else reads in between", async () => {
    using here = stage();
    const { tracker, kernel, container } = here;
    container.attach("0000:00:10.0")[Symbol.dispose](); // every page once more, by rule
    const windows = tracker.drainAsync(SMALL);
    const first = windows.next();
    await turn();
    tracker.readTwice();
    kernel.hurry();
    const { value } = await first;
    equal([value?.label, value?.count], ["all-mapped", 64]);
    await windows.return();
  });

  it("is waited for when tracking ends, and says then that it has", async () => {
    using here = stage();
    const { tracker, kernel } = here;
    const windows = tracker.drainAsync(SMALL);
    const first = windows.next();
    await turn();
    tracker[Symbol.dispose]();
    equal([kernel.waited, kernel.isBusy], [1, false]);
    await rejects(() => first, ReferenceError, "tracking has ended");
  });

  it("lets a drain between take the window that it has read", async () => {
    using here = stage();
    const { tracker, kernel, dirty } = here;
    dirty(0, 7);
    const slow = tracker.drainAsync(SMALL);
    const first = slow.next();
    await turn();
    const all = [...tracker.drain(SMALL)].map(({ iova }) => iova / PIECE);
    equal(all, [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n]);
    dirty(3);
    const rest: [number, number][] = [];
    kernel.hurry();
    const { value } = await first;
    rest.push(seen(value as DirtyWindow));
    for await (const window of slow) rest.push(seen(window));
    equal(rest.filter(([, count]) => count > 0), [[3, 1]]);
  });

  it("loses nothing where onProgress throws: the window that it was told of comes first", async () => {
    using here = stage();
    const { tracker, kernel, dirty } = here;
    dirty(0, 1, 2, 3);
    kernel.hurry();
    const broken = new Error("broken");
    const seenBefore: [number, number][] = [];
    const onProgress = ({ windows }: { windows: number }): void => {
      if (windows === 3) throw broken;
    };
    const error = await (async () => {
      for await (const window of tracker.drainAsync({ ...SMALL, onProgress })) {
        seenBefore.push(seen(window));
      }
    })().catch((error: unknown) => error);
    equal([error, seenBefore], [broken, [[0, 1], [1, 1]]]);
    const windows = [...tracker.drain(SMALL).map(seen)];
    equal(windows.filter(([, count]) => count > 0), [[2, 1], [3, 1]]);
    equal(windows[0], [2, 1]);
  });

  it("beside another one shares the pages with it, and each window stays good", async () => {
    using here = stage();
    const { tracker, kernel, dirty } = here;
    dirty(0, 1, 2, 3, 4, 5, 6, 7);
    kernel.hurry();
    const found: number[] = [];
    const read = async (): Promise<void> => {
      for await (const window of tracker.drainAsync(SMALL)) {
        await turn(); // the other one goes on
        for (const { iova } of window.runs()) found.push(Number(iova / PIECE));
        ok(window.isCurrent);
      }
    };
    await Promise.all([read(), read(), read()]);
    equal(found.toSorted((a, b) => a - b), [0, 1, 2, 3, 4, 5, 6, 7]);
    // Alone again it gets no copies: they would stay good.
    const windows = tracker.drainAsync(SMALL);
    const { value } = await windows.next();
    await windows.next();
    await windows.next();
    equal((value as DirtyWindow).isCurrent, false);
    await windows.return();
  });

  it("keeps its window while something else reads on the spot", async () => {
    using here = stage();
    const { tracker, kernel, dirty } = here;
    dirty(0, 1, 5);
    kernel.hurry();
    const windows = tracker.drainAsync(SMALL);
    const { value } = await windows.next();
    equal(tracker.drain(SMALL).map(seen).filter(([, count]) => count > 0).toArray(), [
      [1, 1],
      [5, 1],
    ]);
    equal([value?.isCurrent, value?.count], [true, 1]);
    await windows.return();
  });

  it("waits off the event loop for a read that another one has begun", async () => {
    using here = stage();
    const { tracker, kernel } = here;
    const [one, other] = [tracker.drainAsync(SMALL), tracker.drainAsync(SMALL)];
    const first = one.next();
    const second = other.next();
    await turn();
    kernel.finish();
    const { value } = await first;
    await turn();
    equal([kernel.waited, kernel.begun, kernel.isBusy], [0, 2, true]);
    kernel.finish();
    const then = await second;
    equal([value, then.value].map((window) => window?.iova), [0n, PIECE]);
    equal(kernel.waited, 0);
    await one.return();
    await other.return();
  });

  it("refuses what is no option", () => {
    using here = stage();
    const { tracker } = here;
    throws(() => tracker.drainAsync({ maxBitmapBytes: 7 }), RangeError, "at least 8; got 7");
    const signal = 1 as unknown as AbortSignal;
    throws(() => tracker.drainAsync({ signal }), TypeError, "signal must be");
    throws(
      () => tracker.drainAsync({ signal: {} as unknown as AbortSignal }),
      TypeError,
      "signal must be an AbortSignal; got an object",
    );
    throws(
      () => tracker.rounds({ signal: {} as unknown as AbortSignal }),
      TypeError,
      "signal must be an AbortSignal; got an object",
    );
    for (const iova of [-5n, (1n << 64n) + 1n]) {
      const said = `cursor.iova must be an address from 0 to 2^64; got ${iova}`;
      throws(() => tracker.drain({ cursor: { iova } }), RangeError, said);
      throws(() => tracker.drainAsync({ cursor: { iova } }), RangeError, said);
    }
    throws(() => tracker.rounds({ interval: -1 }), RangeError, "got -1");
    throws(() => tracker.rounds({ count: 1.5 }), RangeError, "got 1.5");
  });

  it("works on a model that answers at once", async () => {
    const kernel = new ModelKernel();
    using container = Container.open({ kernel });
    using _group = container.attach("0000:00:10.0");
    using memory = container.allocate(1n << 20n);
    using _mapping = container.map(memory);
    using tracker = container.trackDirty();
    let pages = 0;
    for await (const window of tracker.drainAsync()) pages += window.count;
    equal(pages, 256);
  });
});

describe("reading everything twice aside", () => {
  /** Lets the kernel answer until something settles. */
  async function settle<T>(kernel: LateKernel, promise: Promise<T>): Promise<T> {
    let isOver = false;
    const settled = promise.finally(() => isOver = true);
    settled.catch(() => {}); // it is awaited below
    while (!isOver) {
      await turn();
      kernel.finish();
    }
    return await settled;
  }

  it("gives what reading twice gives, holds nothing up, and loses nothing", async () => {
    using here = stage();
    const { tracker, kernel, dirty } = here;
    kernel.vendor(DEFAULT_MDEV).pin(5n * PAGE, 2);
    dirty(3, 7);
    const { first, second, cost } = await settle(kernel, tracker.readTwiceAsync());
    equal([first.count, second.count, kernel.waited], [4, 2, 0]);
    ok(second.has(5n * PAGE) && second.has(6n * PAGE));
    const here2 = tracker.readTwice();
    equal([here2.first.count, here2.second.count, here2.cost], [2, 2, cost]);
    equal(tracker.drain().reduce((sum, { count }) => sum + count, 0), 4);
  });

  it("waits for a drain's read, and leaves it to the next delivery", async () => {
    using here = stage();
    const { tracker, kernel, dirty } = here;
    dirty(0, 1);
    const windows = tracker.drainAsync(SMALL);
    const next = windows.next();
    const both = tracker.readTwiceAsync();
    equal(kernel.begun, 1);
    await settle(kernel, both);
    equal(kernel.waited, 0);
    await settle(kernel, next);
    equal(kernel.waited, 0);
    await settle(kernel, windows.return());
    kernel.hurry();
    let count = (await next).value?.isCurrent ? 1 : 0;
    for (const window of tracker.drain()) count += window.count;
    equal(count, 2);
  });

  it("ends with the reason of its signal; what was read comes with the next drain", async () => {
    using here = stage();
    const { tracker, kernel, dirty } = here;
    dirty(0, 5);
    const stop = new AbortController();
    const both = tracker.readTwiceAsync({ signal: stop.signal });
    await turn();
    stop.abort("enough");
    equal(await both.catch((error: unknown) => error), "enough");
    ok(kernel.isBusy);
    kernel.hurry();
    equal(tracker.drain().reduce((sum, { count }) => sum + count, 0), 2);
  });

  it("reads anew what changes between the two reads", async () => {
    using here = stage();
    const { tracker, kernel, container, dirty } = here;
    dirty(0, 2);
    const both = tracker.readTwiceAsync();
    await turn();
    kernel.finish(); // the first read of everything
    await turn();
    ok(kernel.isBusy);
    container.mappings[2]![Symbol.dispose](); // waits for the second
    const { first, second } = await settle(kernel, both);
    equal([first.has(0n), second.count, kernel.waited], [true, 0, 1]);
    const left = tracker.drain().map(seen).filter(([, count]) => count > 0).toArray();
    equal(left, [[0, 1]]);
  });

  it("says why a read failed", async () => {
    const kernel = new class extends LateKernel {
      override ioctlBuffer(fd: number, request: number, argument: Uint8Array): number {
        const isGet = request === 0x3b75 && argument[4] === 4;
        return isGet ? -ERRNO.EFAULT : super.ioctlBuffer(fd, request, argument);
      }
    }(SCENE);
    using here = stage(kernel);
    await rejects(() => settle(kernel, here.tracker.readTwiceAsync()), VfioError, "EFAULT");
    await rejects(
      () => here.tracker.readTwiceAsync({ signal: 1 as unknown as AbortSignal }),
      TypeError,
      "signal must be",
    );
  });
});
