/** Views of a recording, against what a driver was told to pin and to write on the real kernel. */
import { LiveRounds } from "../../../cli/live_rounds.ts";
import { SaveFile } from "../../../cli/save_file.ts";
import { records, run } from "../../cli/capture.ts";
import { equal, match, ok } from "../../std/assert.ts";
// Rounds are read on a thread, whose event loop has files of its own for a second: nothing counts them.
import { describe, it } from "../../std/testing.ts";
import { at, PINS, Scene, VFIO_PCI } from "./scene.ts";
import type { VendorDevice } from "./vendor_device.ts";

const PAGES = 64;
const byte = Uint8Array.of(1);
const never = new AbortController().signal;

/** What the driver does before each round; what is dirty then, and what is pinned, in pages. */
const STEPS: readonly [act: (driver: VendorDevice) => void, dirty: number, pinned: number][] = [
  [(driver) => driver.pin(at(0), 4), 4, 4],
  [(driver) => driver.write(at(40), byte), 5, 4],
  [(driver) => driver.unpin(at(2), 2), 4, 2], // once more
  [() => {}, 2, 2],
  [(driver) => (driver.pin(at(48), 8), driver.write(at(1), byte)), 10, 10],
];
const DIRTY = STEPS.map(([, dirty]) => dirty);
const PINNED = STEPS.map(([, , pinned]) => pinned);
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Records the steps; `also` joins the container. */
async function record(path: string, also?: string): Promise<void> {
  using scene = new Scene({ size: PAGES });
  using _group = also === undefined ? undefined : scene.join(also);
  using tracker = scene.container.trackDirty();
  using live = new LiveRounds(scene.container, tracker);
  const { pageSize, source } = tracker;
  const devices = also === undefined ? [PINS] : [PINS, also];
  const head = { devices, source, pageSize, mappings: live.mappings };
  using file = new SaveFile(path, head, never);
  for (const [act] of STEPS) {
    act(scene.vendor);
    file.add(await live.next(never));
  }
  file.finish("done");
}

async function text(...args: string[]): Promise<string> {
  const { code, out, err } = await run(args);
  equal(code, 0, err);
  return out;
}

/** Width of a column, where there are few. */
const COLUMN = 32;

/** Cells of the darkest step in a picture, in which each cell is one page. */
function fullCells(svg: string): number {
  const path = /<path class="l7" d="([^"]*)"/.exec(svg)?.[1] ?? "";
  const rows = [...path.matchAll(/M(\d+) \d+h(\d+)/g)].map(([, , width]) => Number(width));
  return sum(rows) / COLUMN;
}

describe("a recording of a driver that pins", () => {
  const path = Deno.makeTempFileSync({ suffix: ".psr" });

  it("has what the driver did, as watch and dirty play it", async () => {
    await record(path);
    const samples = records(await text("watch", "--from", path, "--json"))
      .filter(({ type }) => type === "sample");
    equal(samples.map(({ pages }) => pages), DIRTY);
    equal(samples.map(({ pinned }) => pinned), PINNED);
    equal(samples.map(({ locked }) => locked), PINNED.map((pages) => pages * 4096));
    equal(samples.map(({ fresh, gone }) => [fresh, gone]), [[4, 0], [1, 0], [0, 1], [0, 2], [
      8,
      0,
    ]]);
    const lines = (await text("watch", "--from", path)).trimEnd().split("\n");
    match(
      lines[4]!,
      /^round 5: 10 pages dirty, 10 pinned, \+8 -0, .*VmLck 40 KiB .*, pinned-scope$/,
    );
    const shown = await text("dirty", "--from", path, "--csv");
    match(shown.trimEnd().split("\n").at(-1)!, /\b8\b/);
  });

  it("heat draws each dirty page of each round, and no other", async () => {
    const svg = await text("heat", "--from", path);
    equal(fullCells(svg), sum(DIRTY));
    ok(svg.includes(`>dirty pages of ${PINS}<`));
    match(svg, /page 4 KiB; 1 range; 5 rounds in .*; label: pinned-scope</);
  });

  it("report lists what is pinned in the last round, and sums the others up", async () => {
    const page = await text("report", "--from", path);
    match(page, /dirty in a round[^]*?2 to 10 pages, 5 on average/);
    match(page, /dirty in each round[^]*?2 pages \(8 KiB\)/);
    const table = page.slice(page.indexOf("<h2>Pinned runs</h2>"));
    const pages = [...table.matchAll(/<td data-v="\d+">(\d+)<\/td>/g)].map(([, n]) => Number(n));
    // Pages of the run, the first one in the mapping, those dirty in each round.
    equal(pages, [2, 0, 2, 8, 48, 0]);
  });

  it("converge sends what is mapped, and then what is dirty in a round", async () => {
    const slow = ["--bandwidth", "1MB/s", "--downtime", "45ms"];
    const shown = await text("converge", "--from", path, ...slow);
    match(shown, /^converges: /);
    match(shown, /256 KiB mapped, 45 ms of downtime/);
  });

  it("beside a device of vfio-pci everything is dirty, and diff tells the difference", async () => {
    const other = Deno.makeTempFileSync({ suffix: ".psr" });
    await record(other, VFIO_PCI);
    equal(fullCells(await text("heat", "--from", other)), PAGES * STEPS.length);
    match(await text("heat", "--from", other), /all-mapped: by rule, not by writes/);
    const { code, out } = await run(["diff", path, other]);
    equal(code, 1);
    const rounds = [...out.matchAll(/^ {2}\d+ +(\d+) +(\d+) +(\d+)$/gm)];
    equal(
      rounds.map(([, ...counts]) => counts.map(Number)),
      DIRTY.map((dirty) => [0, PAGES - dirty, dirty]),
    );
  });
});
