#!/usr/bin/env -S deno run --cached-only --allow-ffi
// Map ever more memory until the memory limit stops it, and read why.
//
// usage: 06_memlock.ts DEVICE        as a user, perhaps after ulimit -l 8192; or --model
//
// sample output:
//   4 MiB locked, 4 MiB of room
//   8 MiB locked, 0 bytes of room
//   Cannot map 4 MiB at iova 0x840000: VFIO_IOMMU_MAP_DMA failed with ENOMEM (12):
//   VmLck 8 MiB + 4 MiB is above RLIMIT_MEMLOCK 8 MiB (hard: 8 MiB), and CAP_IPC_LOCK, ...
import { Container, formatSize, VfioError } from "@pinscope/vfio";
import { ModelKernel } from "@pinscope/vfio/model";

const STEP = 4n << 20n;
const [name = "-"] = Deno.args;
const model = name === "--model";
if (!model && name.startsWith("-")) {
  console.error("usage: 06_memlock.ts DEVICE, or --model");
  Deno.exit(2);
}

try {
  const kernel = model ? new ModelKernel({ ipcLock: false }) : undefined;
  using container = Container.open({ kernel });
  using _group = container.attach(model ? "0000:00:10.0" : name);
  using memory = container.allocate(STEP);
  using mappings = new DisposableStack();
  // The same memory at several addresses is counted each time.
  for (let i = 0; i < 1024; i += 1) {
    mappings.use(container.map(memory));
    const { locked, room } = container.pins();
    const left = room === undefined ? "no limit" : `${formatSize(room)} of room`;
    console.log(`${formatSize(locked)} locked, ${left}`);
    if (room === undefined) break;
  }
} catch (error) {
  if (!(error instanceof VfioError || error instanceof Deno.errors.NotCapable)) throw error;
  console.error(error.message);
  // That refusal is what this example shows.
  Deno.exitCode = error instanceof VfioError && error.code === "ENOMEM" ? 0 : 1;
}
