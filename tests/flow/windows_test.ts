import { Container, type DirtyRun, type DirtyWindow } from "../../mod.ts";
import { DEFAULT_MDEV, ModelKernel } from "../../lib/model/mod.ts";
import { equal, ok, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const PAGE = 4096n;
const SCENE = { devices: [{ kind: "mdev", name: DEFAULT_MDEV, group: 1 }] } as const;

describe("windows", () => {
  it("over 64 mappings with a small budget equal one big read", () => {
    const read = (maxBitmapBytes: number): [DirtyRun[], number] => {
      const kernel = new ModelKernel(SCENE);
      using container = Container.open({ kernel });
      using group = container.attach(DEFAULT_MDEV);
      using _device = group.device();
      using memory = container.allocate(64n * 64n * PAGE);
      for (let i = 0n; i < 64n; i += 1n) {
        container.map(memory, { iova: i * 128n * PAGE, offset: i * 64n * PAGE, size: 64n * PAGE });
      }
      const driver = kernel.vendor(DEFAULT_MDEV);
      using tracker = container.trackDirty();
      for (let i = 0n; i < 64n; i += 1n) driver.pin((i * 128n + i) * PAGE, 1);
      let windows = 0;
      const count = function* (): Generator<DirtyWindow> {
        for (const window of tracker.drain({ maxBitmapBytes })) {
          windows += 1;
          yield window;
        }
      };
      const runs = [...count()].length; // drained once, so that the next drain sees pins only
      equal(runs, windows);
      const result = [...tracker.runs({ maxBitmapBytes })].map(({ iova, size, pages }) => ({
        iova,
        size,
        pages,
      }));
      container.unmapAll();
      return [result, windows];
    };
    const [big, one] = read(1 << 20);
    const [small, many] = read(8);
    equal(one, 1);
    equal(many, 64);
    equal(big.length, 64);
    equal(small, big);
  });

  it("says so when it is used after the next read", () => {
    using container = Container.open({ kernel: new ModelKernel() });
    using _group = container.attach("0000:00:10.0");
    using memory = container.allocate(1n << 20n);
    using _mapping = container.map(memory, { pieceSize: 1n << 18n });
    const tracker = container.trackDirty();
    const windows = tracker.drain({ maxBitmapBytes: 8 });
    const first = windows.next().value as DirtyWindow;
    const kept = first.copy();
    const runs = first.runs();
    const second = windows.next().value as DirtyWindow;
    ok(!first.isCurrent);
    throws(() => first.count, ReferenceError, "reused its buffer");
    throws(() => runs.next(), ReferenceError, "reused its buffer");
    equal([kept.count, second.count], [64, 64]);
    tracker[Symbol.dispose]();
    throws(() => second.count, ReferenceError, "reused its buffer");
    equal(kept.count, 64);
  });

  it("go on from a cursor that survives maps and unmaps in between", () => {
    const kernel = new ModelKernel(SCENE);
    using container = Container.open({ kernel });
    using group = container.attach(DEFAULT_MDEV);
    using _device = group.device();
    using memory = container.allocate(64n * PAGE);
    const at = (iova: bigint) => container.map(memory, { iova: iova * PAGE });
    at(0n);
    const middle = at(64n);
    at(128n);
    using tracker = container.trackDirty();
    const cursor = { iova: 0n };
    const take = (): number[] =>
      [...tracker.drain({ maxBitmapBytes: 8, cursor })].map((w) => Number(w.iova / PAGE));
    tracker.drain({ maxBitmapBytes: 8, cursor }).next();
    equal(cursor.iova, 64n * PAGE);
    middle[Symbol.dispose]();
    at(256n);
    equal(take(), [128, 256]);
    container.unmapAll();
  });

  it("tracks mappings larger than the buffer so far", () => {
    using container = Container.open({ kernel: new ModelKernel(SCENE) });
    using group = container.attach(DEFAULT_MDEV);
    using _device = group.device();
    using memory = container.allocate(1n << 36n);
    using _small = container.map(memory, { size: 1n << 20n, iova: 0n });
    using _large = container.map(memory, { iova: 1n << 40n });
    using tracker = container.trackDirty();
    const windows = [...tracker.drain({ maxBitmapBytes: 64 })].map((w) => w.size);
    equal(windows, [1n << 20n, 1n << 36n]);
  });
});
