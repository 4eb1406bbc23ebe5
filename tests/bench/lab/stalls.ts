/** In the guest: how long the event loop stands still during drains of 512 MiB of bitmap. */

import { Container, type DirtyTracker, type DirtyWindow, type Mapping } from "../../../mod.ts";
import { PINS } from "../../kernel/vendor/scene.ts";
import { VendorDevice } from "../../kernel/vendor/vendor_device.ts";
import type { Stall, StallReport } from "./report.ts";

const ROUNDS = 3;
/** Milliseconds between two ticks. */
const PERIOD = 5;
const PAGE = 4096n;
/** 2^31 pages are one more than a mapping may have that is tracked: 64 less are a multiple of 64. */
const LARGEST = (1n << 43n) - 64n * PAGE;

/** Sizes of a mapping, by what its bitmap takes. */
const LAYOUTS: Readonly<Record<string, bigint>> = {
  "256 MiB": LARGEST,
  "1 MiB": 1n << 35n,
};

type Use = (window: DirtyWindow) => void;

/** What a script does with a window. */
const USES: Readonly<Record<string, Use>> = {
  nothing: () => {},
  runs: (window) => {
    for (const _ of window.runBatches());
  },
};

const pause = (milliseconds: number): Promise<void> =>
  new Promise((go) => setTimeout(go, milliseconds));

/** Ticks while something runs; gives the longest that a tick was late. */
async function stallOf(work: () => void | Promise<void>): Promise<Stall> {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last - PERIOD);
    last = now;
  }, PERIOD);
  await pause(10 * PERIOD);
  const start = performance.now();
  await work();
  const took = performance.now() - start;
  await pause(10 * PERIOD);
  clearInterval(timer);
  return { longest, took };
}

/** Reads the last mapping, so that the thread runs by the time that counts. */
async function startThread(tracker: DirtyTracker, mapping: Mapping): Promise<void> {
  const { iova } = mapping.pieces.at(-1)!;
  for await (const _ of tracker.drainAsync({ cursor: { iova } }));
}

async function measure(layout: string, use: string): Promise<StallReport> {
  using container = Container.open();
  using group = container.attach(PINS);
  using vendor = new VendorDevice(group);
  const piece = LAYOUTS[layout]!;
  const size = (1n << 44n) / piece * piece;
  using memory = container.allocate(size);
  using mapping = container.map(memory, { iova: 0n, pieceSize: piece });
  for (let i = 0n; i < 8n; i += 1n) vendor.pin(size / 8n / PAGE * PAGE * i + 10n * PAGE, 3);
  using tracker = container.trackDirty();
  const start = await stallOf(() => startThread(tracker, mapping));
  const taken = { windows: 0, bytes: 0 };
  const take = (window: DirtyWindow): void => {
    taken.windows += 1;
    taken.bytes += window.pages / 8;
    USES[use]!(window);
  };
  const sides: Record<"plain" | "turning" | "threaded", () => void | Promise<void>> = {
    plain: () => {
      for (const window of tracker.drain()) take(window);
    },
    turning: async () => {
      for (const window of tracker.drain()) {
        take(window);
        await pause(0);
      }
    },
    threaded: async () => {
      for await (const window of tracker.drainAsync()) take(window);
    },
  };
  const report = {
    layout,
    use,
    start,
    plain: [] as Stall[],
    turning: [] as Stall[],
    threaded: [] as Stall[],
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const side of ["plain", "turning", "threaded"] as const) {
      if (side === "threaded") await startThread(tracker, mapping);
      taken.windows = taken.bytes = 0;
      const stall = await stallOf(sides[side]);
      const wanted = mapping.pieces.length;
      if (taken.windows !== wanted || taken.bytes !== Number(size / PAGE / 8n)) {
        throw new Error(`${taken.windows} windows of ${taken.bytes} bytes; ${wanted} mappings`);
      }
      report[side].push(stall);
    }
  }
  return report;
}

/** How late a tick is while nothing else is done. */
export async function measureIdle(): Promise<number> {
  await stallOf(() => {}); // the first time it is compiled
  return (await stallOf(() => pause(2000))).longest;
}

/** All containers. */
export async function measureStalls(): Promise<StallReport[]> {
  const reports: StallReport[] = [];
  for (const layout of Object.keys(LAYOUTS)) {
    for (const use of Object.keys(USES)) {
      console.error(`stalls: mappings of ${layout} of bitmap, ${use}`);
      reports.push(await measure(layout, use));
    }
  }
  return reports;
}
