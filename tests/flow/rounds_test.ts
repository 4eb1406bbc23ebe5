import { Container, type DirtyRound } from "../../mod.ts";
import { DEFAULT_MDEV, ModelKernel } from "../../lib/model/mod.ts";
import { equal, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { Random } from "../unit/random.ts";
import { LateKernel } from "../support/late_kernel.ts";

const PAGE = 4096n;
const SCENE = { devices: [{ kind: "mdev", name: DEFAULT_MDEV, group: 1 }] } as const;
const PIECE = 64n * PAGE;
const SMALL = { maxBitmapBytes: 8 } as const;

describe("rounds", () => {
  it("say how many pages were dirty, which are new, and which are gone", async () => {
    const kernel = new ModelKernel(SCENE);
    using container = Container.open({ kernel });
    using group = container.attach(DEFAULT_MDEV);
    using _device = group.device();
    using memory = container.allocate(4n * PIECE);
    using _mapping = container.map(memory, { iova: 0n, pieceSize: PIECE });
    using tracker = container.trackDirty();
    const driver = kernel.vendor(DEFAULT_MDEV);
    const page = new Uint8Array(4096);
    const plan = [[0n, 1n, 2n], [2n, 3n], []];
    driver.pin(100n * PAGE, 1);
    const rounds: DirtyRound[] = [];
    for (const n of plan[0]!) driver.write(n * PAGE, page);
    for await (const round of tracker.rounds({ interval: 0, count: 3, ...SMALL })) {
      rounds.push(round);
      for (const n of plan[round.round] ?? []) driver.write(n * PAGE, page);
    }
    const said = rounds.map(({ round, pages, size, fresh, gone, windows, labels }) => [
      ...[round, pages, Number(size / PAGE), fresh, gone, windows],
      ...labels,
    ]);
    equal(said, [
      [1, 4, 4, 4, 0, 4, "pinned-scope"],
      [2, 3, 3, 1, 2, 4, "pinned-scope"],
      [3, 1, 1, 0, 2, 4, "pinned-scope"],
    ]);
    ok(rounds.every(({ dirty }) => dirty.has(100n * PAGE)), "the pinned page is in each");
    ok(rounds.every(({ readTime, scanTime }) => readTime > 0 && scanTime > 0), "both took time");
  });

  it("that end early leave what they had read to the next drain", async () => {
    const kernel = new LateKernel(SCENE);
    using container = Container.open({ kernel });
    using group = container.attach(DEFAULT_MDEV);
    using _device = group.device();
    using memory = container.allocate(4n * PIECE);
    using _mapping = container.map(memory, { iova: 0n, pieceSize: PIECE });
    using tracker = container.trackDirty();
    for (let i = 0n; i < 4n; i += 1n) {
      kernel.vendor(DEFAULT_MDEV).write(i * PIECE, new Uint8Array(1));
    }
    const controller = new AbortController();
    const rounds = tracker.rounds({ interval: 0, ...SMALL, signal: controller.signal });
    const first = rounds.next().catch((error: unknown) => error);
    while (kernel.begun < 3) {
      await new Promise((resolve) => setTimeout(resolve));
      kernel.finish();
    }
    controller.abort("enough");
    equal(await first, "enough");
    const dirty = new Set<bigint>();
    for (const window of tracker.drain()) for (const { iova } of window.runs()) dirty.add(iova);
    equal([...dirty].sort(), [0n, 1n, 2n, 3n].map((i) => i * PIECE));
  });
});

describe("a round that ends early", () => {
  it("leaves nothing of a mapping that went meanwhile, nor to the one in its place", async () => {
    for (const isAgain of [false, true]) {
      const kernel = new LateKernel(SCENE);
      using container = Container.open({ kernel });
      using group = container.attach(DEFAULT_MDEV);
      using _device = group.device();
      using memory = container.allocate(2n * PIECE);
      const map = (offset: bigint): Disposable =>
        container.map(memory, { iova: offset, offset, size: PIECE });
      using stack = new DisposableStack();
      const first = map(0n);
      stack.use(map(PIECE));
      using tracker = container.trackDirty();
      kernel.vendor(DEFAULT_MDEV).write(0n, new Uint8Array(1));
      kernel.vendor(DEFAULT_MDEV).write(PIECE, new Uint8Array(1));
      const controller = new AbortController();
      const rounds = tracker.rounds({ interval: 0, ...SMALL, signal: controller.signal });
      const round = rounds.next().catch((error: unknown) => error);
      while (kernel.begun < 2) {
        await new Promise((resolve) => setTimeout(resolve));
        kernel.finish();
      }
      first[Symbol.dispose](); // its page was read
      if (isAgain) stack.use(map(0n));
      controller.abort("enough");
      equal(await round, "enough");
      const left = [];
      for (const window of tracker.drain()) for (const { iova } of window.runs()) left.push(iova);
      equal(left, [PIECE]);
    }
  });
});

describe("whatever is stopped, aborted, unmapped or drained in between", () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    it(`no page is lost or invented (seed ${seed})`, async () => {
      await play(new Random(seed));
    });
  }
});

/** Writes pages, reads in all ways, and compares what was delivered with what was written. */
async function play(random: Random): Promise<void> {
  const kernel = new LateKernel(SCENE);
  using container = Container.open({ kernel });
  using group = container.attach(DEFAULT_MDEV);
  using _device = group.device();
  using memory = container.allocate(16n * PIECE);
  for (let i = 0n; i < 16n; i += 1n) {
    container.map(memory, { iova: i * PIECE, offset: i * PIECE, size: PIECE });
  }
  const driver = kernel.vendor(DEFAULT_MDEV);
  using tracker = container.trackDirty();
  const written = new Set<bigint>();
  const take = (runs: Iterable<{ iova: bigint; pages: number }>): void => {
    for (const { iova, pages } of runs) {
      for (let n = 0n; n < BigInt(pages); n += 1n) {
        ok(written.delete(iova / PAGE + n), `page ${iova / PAGE + n} was not written`);
      }
    }
  };
  const some = { maxBitmapBytes: 8 * (1 + random.below(3)) };
  for (let step = 0; step < 60; step += 1) {
    for (const { iova } of container.mappings) {
      if (random.below(4) !== 0) continue;
      const page = iova / PAGE + BigInt(random.below(64));
      equal(driver.write(page * PAGE, new Uint8Array(1)), 0);
      // A page is dirty once, however often it is written before it is read.
      written.add(page);
    }
    switch (random.below(6)) {
      case 0: {
        let left = random.below(8);
        for (const window of tracker.drain(some)) {
          take(window.runs());
          if (left-- === 0) break;
        }
        break;
      }
      case 1:
      case 2: {
        const controller = new AbortController();
        let left = random.below(8);
        const windows = tracker.drainAsync({ ...some, signal: controller.signal });
        while (left-- > 0) {
          const next = windows.next();
          await null;
          if (random.below(3) > 0) kernel.finish();
          else controller.abort("enough");
          const window = await next.catch(() => undefined);
          if (window?.value === undefined) break;
          take(window.value.runs());
        }
        if (random.below(2) > 0) await windows.return();
        break;
      }
      case 3: {
        const { mappings } = container;
        if (mappings.length < 6) break;
        take(mappings[random.below(mappings.length)]!.unmapWithBitmap().runs());
        break;
      }
      case 4: {
        const gone = container.mappings[random.below(container.mappings.length)]!;
        if (container.mappings.length < 6) break;
        const first = gone.iova / PAGE;
        gone[Symbol.dispose]();
        for (let n = 0n; n < 64n; n += 1n) written.delete(first + n); // nobody wants them any more
        break;
      }
      case 5:
        tracker.readTwice();
        kernel.finish();
    }
  }
  kernel.hurry();
  for await (const window of tracker.drainAsync(some)) take(window.runs());
  equal([...written], []);
}
