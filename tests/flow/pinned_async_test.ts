/** Pins read on another thread: the same answers, nothing lost, and nothing waits on the spot. */
import { Container, DirtyMap, type PinnedPages, type PinRound, VfioError } from "../../mod.ts";
import { DEFAULT_MDEV, ModelKernel, type VendorDriver } from "../../lib/model/mod.ts";
import { equal, match, ok, rejects } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { LateKernel } from "../support/late_kernel.ts";
import { DEVICES, PCI, PINNER } from "../support/pin_devices.ts";

const PAGE = 4096n;

/** A container with one device, 16 MiB at iova 0 in four mappings, and the driver of the device. */
async function setting<K extends ModelKernel>(
  kernel: K,
  name: string,
  body: (all: { kernel: K; container: Container; driver: VendorDriver }) => Promise<void>,
): Promise<void> {
  {
    using container = Container.open({ kernel });
    using group = container.attach(name);
    using _device = group.device();
    using memory = container.allocate(1n << 24n);
    using _mapping = container.map(memory, { iova: 0n, pieceSize: 1n << 22n });
    await body({ kernel, container, driver: kernel.vendor(name) });
  }
  equal([kernel.openFiles, kernel.openMappings], [0, 0]);
}

const pages = (map: DirtyMap): number[] =>
  [...map.runs()].flatMap((run) =>
    Array.from({ length: run.pages }, (_, i) => Number(run.iova / PAGE) + i)
  );

function known(pinned: PinnedPages): unknown {
  ok(pinned.known, pinned.known ? "" : pinned.reason);
  const { pages: map, ...rest } = pinned;
  return { ...rest, pages: pages(map) };
}

const told = ({ round, pinned, fresh, released, once }: PinRound): unknown => [
  round,
  ...[pinned, fresh, released, once].map(pages),
];

const turn = (): Promise<void> => new Promise((go) => setTimeout(go));

/** Whether a promise has settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => settled = true, () => settled = true);
  await turn();
  return settled;
}

describe("pins read on another thread", () => {
  it("are those that are read on the spot, with and without a tracker", () =>
    setting(new ModelKernel({ devices: DEVICES }), DEFAULT_MDEV, async ({ container, driver }) => {
      for (const [first, count] of [[3, 70], [1023, 2], [4000, 96]] as const) {
        equal(driver.pin(BigInt(first) * PAGE, count), count);
      }
      const alone = known(await container.pinnedAsync());
      equal(alone, known(container.pinned()));
      equal(container.tracker, undefined, "it ended what it had started");
      using tracker = container.trackDirty();
      driver.write(2000n * PAGE, new Uint8Array(1));
      const beside = known(await container.pinnedAsync());
      equal(beside, known(container.pinned()));
      ok(`${JSON.stringify(beside)}` !== `${JSON.stringify(alone)}`, "in another way");
      ok([...tracker.runs()].some(({ iova }) => iova === 2000n * PAGE), "nothing was lost");
    }));

  it("make the rounds of a history, which tell pinned, released and once apart", () =>
    setting(new ModelKernel({ devices: DEVICES }), DEFAULT_MDEV, async ({ container, driver }) => {
      driver.pin(0n, 2);
      using history = await container.pinHistoryAsync();
      driver.pin(8n * PAGE, 2);
      driver.unpin(0n, 1);
      driver.write(20n * PAGE, new Uint8Array(1));
      equal(told(await history.nextAsync()), [1, [1, 8, 9], [8, 9], [0], [20]]);
      driver.unpin(8n * PAGE, 1);
      equal(told(history.next()), [2, [1, 9], [], [8], []], "both kinds of rounds go together");
      equal(told(await history.nextAsync()), [3, [1, 9], [], [], []]);
    }));

  it("are refused with the same reasons", () =>
    setting(new ModelKernel({ devices: DEVICES }), DEFAULT_MDEV, async ({ container }) => {
      using history = await container.pinHistoryAsync();
      using _plain = container.attach(PCI);
      const pinned = await container.pinnedAsync();
      ok(!pinned.known);
      match(pinned.reason, /group 2 keeps it from being pinned pages only/);
      await rejects(() => history.nextAsync(), VfioError, "group 2 keeps it");
      history[Symbol.dispose]();
      await rejects(() => history.nextAsync(), ReferenceError, "tracking has ended");
      await rejects(() => container.pinHistoryAsync(), VfioError, "group 2 keeps it");
      equal(container.tracker, undefined);
      const wrong = { signal: {} } as { signal: AbortSignal };
      await rejects(() => container.pinnedAsync(wrong), TypeError, "signal must be an AbortSignal");
      await rejects(() => container.pinHistoryAsync(wrong), TypeError, "AbortSignal");
      await rejects(() => history.nextAsync(wrong), TypeError, "AbortSignal");
    }));
});

describe("pins that are being read when the abort comes", () => {
  for (const how of ["pinnedAsync", "pinHistoryAsync"] as const) {
    it(`${how} waits for the read and holds nothing up, and ends its tracking`, () =>
      setting(new LateKernel({ devices: DEVICES }), DEFAULT_MDEV, async ({ kernel, container }) => {
        const controller = new AbortController();
        const read = container[how]({ signal: controller.signal });
        read.catch(() => {});
        while (!kernel.isBusy) await turn();
        controller.abort("enough");
        equal(await isSettled(read), false, "the kernel has not answered");
        equal([kernel.waited, container.tracker?.isOn], [0, true]);
        kernel.hurry();
        equal(await read.catch((error: unknown) => error), "enough");
        equal([kernel.waited, container.tracker], [0, undefined]);
        const before = kernel.begun;
        await rejects(() => container[how]({ signal: AbortSignal.abort(new Error("no")) }), Error);
        equal(kernel.begun, before, "a signal that came before: nothing is begun");
      }));
  }

  it("are lost to no drain and to no round", () =>
    setting(
      new LateKernel({ devices: DEVICES }),
      DEFAULT_MDEV,
      async ({ kernel, container, driver }) => {
        using tracker = container.trackDirty();
        using history = container.pinHistory();
        driver.write(5n * PAGE, new Uint8Array(1));
        const controller = new AbortController();
        const round = history.nextAsync({ signal: controller.signal });
        while (!kernel.isBusy) await turn();
        kernel.finish(); // the first of two reads has taken the page, and nobody has it yet
        while (kernel.begun < 2) await turn();
        controller.abort("enough");
        equal(await round.catch((error: unknown) => error), "enough");
        equal([kernel.isBusy, kernel.waited], [true, 0], "nobody waits for the second");
        kernel.hurry();
        driver.pin(9n * PAGE, 1);
        equal(told(await history.nextAsync()), [1, [9], [9], [], []]);
        equal([...tracker.runs()].map(({ iova }) => Number(iova / PAGE)), [5, 9]);
      },
    ));
});

describe("a scope that is probed on another thread", () => {
  it("turns at the first pin, and holds nothing up meanwhile", () =>
    setting(
      new LateKernel({ devices: DEVICES }),
      PINNER,
      async ({ kernel, container, driver }) => {
        const probed = container.probeScopeAsync();
        while (!kernel.isBusy) await turn();
        equal([await isSettled(probed), container.mappings.length], [false, 2]);
        kernel.hurry();
        const { label, basis } = await probed;
        equal([label, basis], ["all-mapped", "evidence"]);
        equal([container.mappings.length, container.tracker, kernel.waited], [1, undefined, 0]);
        equal(container.scope().label, "unknown", "it may turn at any moment");
        driver.pin(0n, 1);
        const after = await container.probeScopeAsync();
        equal([after.label, after.basis], ["pinned-scope", "evidence"]);
        const { begun } = kernel;
        equal((await container.probeScopeAsync()).label, "pinned-scope");
        equal(kernel.begun, begun, "what is known is not asked again");
      },
    ));

  it("takes nothing from a drain that goes on, and is not taken by it", () =>
    setting(
      new LateKernel({ devices: DEVICES }),
      PINNER,
      async ({ kernel, container, driver }) => {
        using tracker = container.trackDirty();
        driver.pin(7n * PAGE, 1);
        const seen: number[] = [];
        const drain = (async () => {
          for await (const window of tracker.drainAsync({ maxBitmapBytes: 128 })) {
            seen.push(...pages(new DirtyMap(window.pageSize).add(window)));
          }
        })();
        while (!kernel.isBusy) await turn();
        const probed = container.probeScopeAsync();
        let isOver = false;
        void Promise.all([drain, probed]).finally(() => isOver = true);
        for (let i = 0; !isOver && i < 100; i += 1) {
          kernel.finish();
          await turn();
        }
        ok(isOver, "both come to an end");
        await drain;
        equal((await probed).label, "pinned-scope");
        equal([seen, container.mappings.length], [[7], 1]);
      },
    ));
});
