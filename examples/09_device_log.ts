#!/usr/bin/env -S deno run --cached-only --allow-ffi
// Put what a device has logged of its own writes beside what type1 tells of the same mapping.
// Few drivers keep such a log. On the lab's own kernel two devices have one, and are idle:
//   deno task lab run --own --profile own_vendor examples/09_device_log.ts 0000:00:11.0
//
// sample output:
//   DMA log of 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001: 16 MiB in 4 KiB pages
//   type1: 6 pages (pinned-scope)
//   log: 2 pages (written)
import { Container, type DirtyTracker, NoDmaLogError, VfioError } from "@pinscope/vfio";
import { DEFAULT_MDEV, ModelKernel } from "@pinscope/vfio/model";

const [name = "-"] = Deno.args;
const model = name === "--model";
if (!model && name.startsWith("-")) {
  console.error("usage: 09_device_log.ts DEVICE, or --model");
  Deno.exit(2);
}

function tell(tracker: DirtyTracker): void {
  for (const { count, label } of tracker.drain()) { // one mapping: one window
    console.log(`${tracker.source}: ${count} pages (${label})`);
  }
}

try {
  using container = Container.open({ kernel: model ? new ModelKernel() : undefined });
  using group = container.attach(model ? DEFAULT_MDEV : name);
  using device = group.device();
  using memory = container.allocate(16n << 20n);
  using mapping = container.map(memory);
  using tracker = container.trackDirty();
  using log = device.logDma({ ranges: [mapping] }); // START now, STOP at scope end
  console.log(`${log}`);
  await new Promise((go) => setTimeout(go, model ? 0 : 500)); // the device works here
  tell(tracker);
  tell(log.tracker);
} catch (error) { // no log: NoDmaLogError where the driver only pretends to have one
  const known = [VfioError, NoDmaLogError, Deno.errors.NotCapable];
  if (!(error instanceof Error) || !known.some((kind) => error instanceof kind)) throw error;
  console.error(error.message);
  Deno.exitCode = 1;
}
