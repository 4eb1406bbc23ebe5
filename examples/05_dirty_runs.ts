#!/usr/bin/env -S deno run --cached-only --allow-ffi
// Map 64 MiB for a device, let it run, list what it dirtied.
//
// usage: 05_dirty_runs.ts DEVICE        or --model
//
// sample output:
//   locked 67108864 bytes
//   all-mapped 0x100000000 16384 pages
import { Container, hex, VfioError } from "@pinscope/vfio";
import { ModelKernel } from "@pinscope/vfio/model";

const MiB = 1n << 20n;
const [name = "-"] = Deno.args;
const model = name === "--model";
if (!model && name.startsWith("-")) {
  console.error("usage: 05_dirty_runs.ts DEVICE, or --model");
  Deno.exit(2);
}

try {
  using container = Container.open({ kernel: model ? new ModelKernel() : undefined });
  using _group = container.attach(model ? "0000:00:10.0" : name); //          viable? SET_CONTAINER, then type1 v2
  const before = container.pins(); //                VmLck, VmPin, RLIMIT_MEMLOCK, dma_avail

  using memory = container.allocate(64n * MiB); //   anonymous mmap, page aligned
  using _low = container.map(memory, { iova: 0x1_0000_0000n, access: "rw" });
  console.log(`locked ${container.pins().since(before).locked} bytes`);

  using tracker = container.trackDirty(); //         START now, STOP at scope end
  await new Promise((go) => setTimeout(go, model ? 0 : 500)); // the device works here

  // Each window is one GET_BITMAP: it clears what it reads, and says what its bits mean.
  for (const window of tracker.drain({ maxBitmapBytes: 64 << 10 })) {
    for (const run of window.runs()) console.log(window.label, hex(run.iova), run.pages, "pages");
  }
} catch (error) { // released in reverse order: tracker, mapping, memory, group, container
  if (!(error instanceof VfioError || error instanceof Deno.errors.NotCapable)) throw error;
  console.error(error.message);
  Deno.exitCode = 1;
}
