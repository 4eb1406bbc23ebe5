/**
 * `pinscope demo`: the main job on the model kernel. Its output is the same each time.
 *
 * @module
 */

import { Container, type DirtyTracker, formatSize, hex, listHost } from "../mod.ts";
import { DEFAULT_MDEV, DEFAULT_SCENE, ModelKernel } from "../lib/model/mod.ts";
import type { Json, Output } from "./output.ts";
import type { Context } from "./context.ts";
import { columns, counted } from "./table.ts";

const PCI_DEVICE = "0000:00:10.0";
const PAGE = 4096n;
const SIZE = 256n * PAGE;
const LOW = 0x1_0000_0000n;
const HIGH = 0x2_0000_0000n;
/** Where the driver of the mediated device pins four pages, and where it writes two. */
const RING = LOW + 16n * PAGE;
const DATA = HIGH + 128n * PAGE;
/** Bytes of bitmap for the 256 pages of one mapping, so that each window holds one. */
const BUDGET = 32;

/** Shows a container from its first group to its last. */
export function demo({ out }: Context): number {
  // The driver of the mediated device does what the demo says, and nothing by itself.
  const devices = DEFAULT_SCENE.devices.map((device) => ({ ...device, workload: () => {} }));
  const kernel = new ModelKernel({ devices });
  const driver = kernel.vendor(DEFAULT_MDEV);
  step(out, "kernel", `${listHost({ kernel }).kernel}, in memory: no root, no VFIO needed`);
  {
    using container = Container.open({ kernel });
    // What a person reads as VmLck is a field of its own for programs.
    const stepWithPins = (name: string, text: string, fields: Fields = {}): void => {
      const { locked } = container.pins();
      step(out, name, `${text}; VmLck ${formatSize(locked)}`, {
        ...fields,
        locked: Number(locked),
      });
    };

    using emulated = container.attach(DEFAULT_MDEV);
    using _device = emulated.device();
    step(out, "attach", `${DEFAULT_MDEV}, a mediated device`, { group: emulated.number });
    using stack = new DisposableStack();
    for (const iova of [LOW, HIGH]) {
      const memory = stack.use(container.allocate(SIZE));
      stack.use(container.map(memory, { iova }));
      const text = `${formatSize(SIZE)} at iova ${hex(iova)}`;
      stepWithPins("map", text, { iova, size: SIZE });
    }
    using tracker = container.trackDirty();
    driver.pin(RING, 4);
    driver.write(DATA, new Uint8Array(Number(2n * PAGE)));
    stepWithPins("driver", "pins 4 pages, writes 2 others");
    round(out, tracker, 1, "what is pinned, or was written");
    round(out, tracker, 2, "what is still pinned");

    const backed = container.attach(PCI_DEVICE);
    const { number: group } = backed;
    stepWithPins("attach", `${PCI_DEVICE}, vfio-pci, behind an IOMMU`, { group });
    round(out, tracker, 3, "vfio-pci pins nothing, so every mapped page counts");
    backed[Symbol.dispose]();
    stepWithPins("detach", PCI_DEVICE, { group });
    round(out, tracker, 4, "once more every page, for nothing tells what it wrote");
    round(out, tracker, 5, "only what is pinned again");
  }
  const left = kernel.openFiles;
  step(out, "release", `tracker, mappings, memory, groups, container; ${left} files open`, {
    left,
  });
  return 0;
}

type Fields = Readonly<Record<string, Json>>;

function step(out: Output, name: string, text: string, fields: Fields = {}): void {
  out.record("step", { name, text, ...fields });
  out.line(`${name.padEnd(9)}${text}`);
}

/** Reads everything once, a window for each mapping. */
function round(out: Output, tracker: DirtyTracker, number: number, text: string): void {
  step(out, `round ${number}`, text, { round: number });
  const rows: string[][] = [];
  for (const window of tracker.drain({ maxBitmapBytes: BUDGET })) {
    const { iova, size, label, count, pages } = window;
    const runs = [...window.runs()];
    out.record("window", { round: number, iova, size, label, count, pages });
    for (const run of runs) out.record("run", { round: number, ...run, label });
    const places = runs.map((run) => `${counted(run.pages, "page")} at ${hex(run.iova)}`);
    rows.push([`  window ${hex(iova)}`, label, places.join(", ") || "clean"]);
  }
  out.lines(columns(rows));
}
