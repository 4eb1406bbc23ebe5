/** Runs in the guest, on the own kernel: reads of a page table, ours and C's; prints a report. */

import { type Extent, Iommufd } from "../../../mod.ts";
import { APERTURE, makeDirty, MOCK_PAGE, MockDevice } from "../../kernel/mock/mock.ts";
import { Random } from "../../unit/random.ts";
import { Peer } from "./peer.ts";
import type { TableReport } from "./report.ts";

const GIVEN = "/job/drain";
const PROGRAM = "/tmp/drain";
const ROUNDS = 15;
const WARM = 5;
const PIECE = 256n << 20n;
const COUNT = 4n;

await Deno.copyFile(GIVEN, PROGRAM);
await Deno.chmod(PROGRAM, 0o755);

using iommufd = Iommufd.open();
using first = iommufd.addressSpace();
using device = new MockDevice(iommufd, first);
using space = iommufd.addressSpace();
using memory = iommufd.allocate(PIECE);
for (let i = 0n; i < COUNT; i += 1n) space.map(memory, { iova: APERTURE.start + i * PIECE });
using table = space.pageTable(device, { dirtyTracking: true });
using tracker = table.trackDirty();

// One page of a hundred, in a bitmap of mock pages; it is looked at and so stays dirty.
const range = { iova: APERTURE.start, size: COUNT * PIECE };
using bits = iommufd.allocate(range.size / MOCK_PAGE / 8n);
const random = new Random(1);
for (let n = Number(range.size / 4096n / 100n); n > 0; n -= 1) {
  const bit = 2 * random.below(Number(range.size / 4096n));
  bits.bytes[bit >> 3]! |= 1 << (bit & 7);
}
const { result } = makeDirty(iommufd, table.id, { ...range, pageSize: MOCK_PAGE }, bits);
if (result !== "OK") throw new Error(result);

const ranges: Extent[] = [];
let pages = 0;
for (const window of tracker.peek()) {
  ranges.push({ iova: window.iova, size: window.size });
  pages += window.count;
}
await using peer = new Peer(PROGRAM, iommufd.fd, ranges, table.id);
const { found } = await peer.run("pages", 0);
if (found !== pages || pages === 0) throw new Error(`${pages} dirty pages here, ${found} in C`);

/** Milliseconds of one look at everything, and its runs. */
function look(): { took: number; runs: number } {
  const start = performance.now();
  let edges = 0;
  for (const window of tracker.peek()) {
    for (const batch of window.runBatches()) edges += batch.length;
  }
  return { took: performance.now() - start, runs: edges / 2 };
}

const ours: number[] = [];
const native: number[] = [];
let runs = 0;
for (let round = -WARM; round < ROUNDS; round += 1) {
  const mine = look();
  const sums: number[] = [];
  for (const how of ["next", "edges"] as const) {
    const { kernel, scan, rest, found } = await peer.run(how, 1);
    if (found !== mine.runs) throw new Error(`${mine.runs} runs here, ${found} in C`);
    sums.push(kernel + scan + rest);
  }
  runs = mine.runs;
  if (round < 0) continue;
  ours.push(mine.took);
  native.push(Math.min(...sums));
}
const gibibytes = Number(range.size >> 30n);
console.log(JSON.stringify({ gibibytes, runs, ours, native } satisfies TableReport));
