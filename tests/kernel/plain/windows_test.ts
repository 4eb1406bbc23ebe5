/** Reading window by window: small budgets, many mappings, pieces, and how long a window lives. */
import { Container, type Cursor, type LabelledRun } from "../../../mod.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { EDU, LOW, MiB, PAGE } from "../support/machine.ts";

const WORD = 64n * PAGE;

/** Maps 100 ranges of 1 to 70 pages, each at a multiple of 64 pages, some side by side. */
function mapMany(container: Container): { runs: LabelledRun[]; memory: Disposable } {
  const memory = container.allocate(128n * PAGE);
  let at = LOW;
  const runs: LabelledRun[] = [];
  for (let i = 0; i < 100; i += 1) {
    const pages = i % 5 === 0 ? 64 : 1 + (i * 7) % 70;
    const size = BigInt(pages) * PAGE;
    container.map(memory, { iova: at, size });
    const last = runs.at(-1);
    if (last !== undefined && last.iova + last.size === at) {
      runs[runs.length - 1] = { ...last, size: last.size + size, pages: last.pages + pages };
    } else runs.push({ iova: at, size, pages, label: "all-mapped" });
    at += (size + WORD - 1n) / WORD * WORD;
  }
  return { runs, memory };
}

describe("windows", () => {
  it("over 100 mappings with a small budget say what one big read says", () => {
    using container = Container.open();
    using group = container.attach(EDU);
    const { runs: wanted, memory } = mapMany(container);
    using tracker = container.trackDirty();
    const sizes = new Map<number, number>();
    for (const budget of [8, 16, 64, 1024, 1 << 20]) {
      equal([...tracker.runs({ maxBitmapBytes: budget })], wanted, `budget ${budget}`);
      let windows = 0;
      for (const window of tracker.drain({ maxBitmapBytes: budget })) {
        windows += 1;
        const bytes = Math.ceil(window.pages / 64) * 8;
        ok(bytes <= Math.max(budget, 16), `${bytes} bytes where the largest mapping takes 16`);
      }
      sizes.set(budget, windows);
    }
    equal(sizes.get(1 << 20), 1, "all of it fits one window");
    equal(sizes.get(8), 100, "each mapping alone");
    ok(sizes.get(16)! < 100 && sizes.get(16)! > sizes.get(64)!);
    group[Symbol.dispose]();
    memory[Symbol.dispose]();
  });

  it("go on where an earlier drain stopped, over maps and unmaps in between", () => {
    using container = Container.open();
    using _group = container.attach(EDU);
    using memory = container.allocate(MiB);
    const mappings = [0n, 1n, 2n, 3n].map((i) =>
      container.map(memory, { iova: LOW + i * WORD, size: PAGE })
    );
    using tracker = container.trackDirty();
    const cursor: Cursor = { iova: 0n };
    const next = (): bigint | undefined => {
      for (const window of tracker.drain({ maxBitmapBytes: 8, cursor })) return window.iova;
      return undefined;
    };
    equal([next(), next()], [LOW, LOW + WORD]);
    mappings[2]![Symbol.dispose]();
    container.map(memory, { iova: 0n, size: PAGE }); // behind the cursor: a later drain's
    equal([next(), next()], [LOW + 3n * WORD, undefined]);
    equal([...tracker.drain()].length, 1);
    container.unmapAll();
  });

  it("are stale after the next read, and a copy is not", () => {
    using container = Container.open();
    using _group = container.attach(EDU);
    using memory = container.allocate(MiB);
    using _mapping = container.map(memory, { iova: LOW });
    const tracker = container.trackDirty();
    const [first] = tracker.drain();
    equal(first!.count, 256);
    const copy = first!.copy();
    const [second] = tracker.drain();
    equal([first!.isCurrent, second!.isCurrent], [false, true]);
    throws(() => first!.count, ReferenceError, "the next read has reused its buffer");
    throws(() => [...first!.runs()], ReferenceError, "window.copy()");
    tracker[Symbol.dispose]();
    throws(() => second!.has(LOW), ReferenceError, "has reused its buffer");
    equal([copy.count, copy.has(LOW), copy.has(LOW + MiB)], [256, true, false]);
  });

  it("of pieces: a mapping in pieces is read piece by piece", () => {
    using container = Container.open();
    using _group = container.attach(EDU);
    using memory = container.allocate(3n * MiB + PAGE);
    const before = container.pins();
    const mapping = container.map(memory, { iova: LOW, pieceSize: MiB });
    equal(mapping.pieces.map(({ size }) => size), [MiB, MiB, MiB, PAGE]);
    equal(container.pins().since(before), {
      locked: 3n * MiB + PAGE,
      pinned: 0n,
      dmaAvailable: -4,
    });
    equal(container.mappings, [mapping]);
    using tracker = container.trackDirty();
    const windows = [...tracker.drain({ maxBitmapBytes: 32 })].map((
      { iova, pages },
    ) => [iova, pages]);
    equal(windows, [[LOW, 256], [LOW + MiB, 256], [LOW + 2n * MiB, 256], [LOW + 3n * MiB, 1]]);
    equal([...tracker.runs({ maxBitmapBytes: 32 })].map((run) => run.pages), [769]);
    equal(mapping.unmapWithBitmap().count, 769);
    equal(container.pins().since(before), { locked: 0n, pinned: 0n, dmaAvailable: 0 });
  });

  it("refuse budgets and pieces that cannot be", () => {
    using container = Container.open();
    using _group = container.attach(EDU);
    using memory = container.allocate(MiB);
    using tracker = container.trackDirty();
    for (const maxBitmapBytes of [0, 7, 8.5, NaN, -8]) {
      throws(() => [...tracker.drain({ maxBitmapBytes })], RangeError, `got ${maxBitmapBytes}`);
    }
    for (const pieceSize of [0n, PAGE, -WORD, WORD + PAGE]) {
      throws(() => container.map(memory, { pieceSize }), RangeError, `got ${pieceSize}`);
    }
  });
});
