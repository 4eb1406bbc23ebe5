/** In the guest: whole drains, ours and those of a C program, of the same container in turns. */

import { Container, type DirtyTracker, type DirtyWindow, type Mapping } from "../../../mod.ts";
import { PINS, VFIO_PCI } from "../../kernel/vendor/scene.ts";
import { VendorDevice } from "../../kernel/vendor/vendor_device.ts";
import { Random } from "../../unit/random.ts";
import { Peer } from "./peer.ts";
import { type DrainReport, type Parts, whole } from "./report.ts";
import { TimedKernel } from "./timed_kernel.ts";

/** Containers of each kind: where the kernel finds memory for one has its share in the times. */
const CONTAINERS = 3;
/** Rounds that count, in each of them. */
const ROUNDS = 7;
/** Rounds before, in which the compilers finish. */
const WARM = 4;
/** What is mapped again and again: behind an IOMMU all of it is really pinned. */
const PIECE = 256n << 20n;
const PAGE = 4096n;
/** Pages that the driver pins at a time, and how often in a piece. */
const BLOCK = 512;
const BLOCKS = 4;

const KINDS: Readonly<Record<string, string>> = {
  "scattered pins": PINS,
  "all mapped": VFIO_PCI,
};

/** Pins blocks of pages in a piece and gives back some of each: 1 % of the pages, in short runs. */
function scatter(vendor: VendorDevice, { iova, size }: Mapping, random: Random): void {
  const space = Number(size / PAGE) / BLOCKS;
  for (let i = 0; i < BLOCKS; i += 1) {
    const first = iova + BigInt(Math.floor(i * space) + random.below(space - BLOCK)) * PAGE;
    vendor.pin(first, BLOCK, { oneCall: true });
    for (let at = 1 + random.below(8); at < BLOCK; at += 1 + random.below(8)) {
      const count = Math.min(1 + random.below(8), BLOCK - at);
      vendor.unpin(first + BigInt(at) * PAGE, count);
      at += count;
    }
  }
}

/** A report that is being written. */
interface DrainSeries extends DrainReport {
  runs: number;
  readonly batches: Parts[];
  readonly objects: Parts[];
  readonly native: Parts[];
}

/** Drains a number of times; `take` says how many runs a window has. */
function drain(
  tracker: DirtyTracker,
  timed: TimedKernel,
  times: number,
  take: (window: DirtyWindow) => number,
): Parts & { runs: number } {
  timed.milliseconds = 0;
  let scan = 0;
  let runs = 0;
  const start = performance.now();
  for (let i = 0; i < times; i += 1) {
    runs = 0;
    for (const window of tracker.drain()) {
      const from = performance.now();
      runs += take(window);
      scan += performance.now() - from;
    }
  }
  const kernel = timed.milliseconds;
  return { kernel, scan, rest: performance.now() - start - kernel - scan, runs };
}

function batches(window: DirtyWindow): number {
  let edges = 0;
  for (const batch of window.runBatches()) edges += batch.length;
  return edges / 2;
}

function objects(window: DirtyWindow): number {
  let runs = 0;
  for (const run of window.runs()) runs += run.pages > 0 ? 1 : 0;
  return runs;
}

/** The better of the two loops in C. */
async function better(peer: Peer, times: number, wanted: number): Promise<Parts> {
  const next = await peer.run("next", times);
  const edges = await peer.run("edges", times);
  for (const { found } of [next, edges]) {
    if (found !== wanted) throw new Error(`${wanted} runs here, ${found} in C`);
  }
  return whole(next) < whole(edges) ? next : edges;
}

const each = ({ kernel, scan, rest }: Parts, times: number): Parts => ({
  kernel: kernel / times,
  scan: scan / times,
  rest: rest / times,
});

/** Measures in a container of its own, and adds what it took. */
async function measure(report: DrainSeries, program: string): Promise<void> {
  const { kind, gibibytes } = report;
  const timed = new TimedKernel();
  using container = Container.open({ kernel: timed.kernel });
  using memory = container.allocate(PIECE);
  using group = container.attach(KINDS[kind]!);
  using vendor = KINDS[kind] === PINS ? new VendorDevice(group) : undefined;
  using stack = new DisposableStack();
  const random = new Random(gibibytes);
  const count = (BigInt(gibibytes) << 30n) / PIECE;
  for (let i = 0n; i < count; i += 1n) {
    const mapping = stack.use(container.map(memory, { iova: (1n << 32n) + i * PIECE }));
    if (vendor !== undefined) scatter(vendor, mapping, random);
  }
  using tracker = container.trackDirty();
  timed.ranges = [];
  let pages = 0;
  for (const window of tracker.drain()) pages += window.count;
  await using peer = new Peer(program, timed.fd, timed.ranges);
  timed.ranges = undefined;
  const { found } = await peer.run("pages", 0);
  if (found !== pages) throw new Error(`${pages} dirty pages here, ${found} in C`);
  const { runs } = drain(tracker, timed, 1, batches);
  report.runs = runs;
  const times = 32 / gibibytes; // a small one takes too short a time alone
  for (let round = -WARM; round < ROUNDS; round += 1) {
    const ours = drain(tracker, timed, times, batches);
    const native = await better(peer, times, runs);
    const iterated = drain(tracker, timed, times, objects);
    if (ours.runs !== runs || iterated.runs !== runs) throw new Error("The drains differ");
    if (round < 0) continue;
    report.batches.push(each(ours, times));
    report.objects.push(each(iterated, times));
    report.native.push(each(native, times));
  }
}

/** All containers. */
export async function measureDrains(program: string): Promise<DrainReport[]> {
  const reports: DrainReport[] = [];
  for (const kind of Object.keys(KINDS)) {
    for (const gibibytes of [1, 4, 16]) {
      console.error(`drains: ${gibibytes} GiB, ${kind}`);
      const report = { kind, gibibytes, runs: 0, batches: [], objects: [], native: [] };
      for (let i = 0; i < CONTAINERS; i += 1) await measure(report, program);
      reports.push(report);
    }
  }
  return reports;
}
