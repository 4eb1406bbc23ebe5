#!/usr/bin/env -S deno run --cached-only --allow-ffi
// Put what a device has logged of its own writes beside what type1 tells of the same mapping.
//
// usage: 09_device_log.ts DEVICE        or --model
// Few drivers keep such a log. On the lab's own kernel two devices have one, and are idle:
//   deno task lab run --own --profile own_vendor examples/09_device_log.ts 0000:00:11.0
//
// sample output:
//   DMA log of 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001: 16 MiB in 4 KiB pages
//   type1: 6 pages (pinned-scope)
//   log: 2 pages (written)
import { Container, type DirtyTracker, NoDmaLogError, VfioError } from "@pinscope/vfio";
import { DEFAULT_MDEV, ModelKernel } from "@pinscope/vfio/model";

const model = Deno.args.includes("--model");
const [name = DEFAULT_MDEV] = Deno.args.filter((argument) => argument !== "--model");

function tell(tracker: DirtyTracker): void {
  let pages = 0;
  const labels = new Set<string>();
  for (const window of tracker.drain()) {
    pages += window.count;
    labels.add(window.label);
  }
  console.log(`${tracker.source}: ${pages} pages (${[...labels].join(", ")})`);
}

try {
  using container = Container.open({ kernel: model ? new ModelKernel() : undefined });
  using group = container.attach(name);
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
  if (!(error instanceof VfioError || error instanceof NoDmaLogError)) throw error;
  console.error(error.message);
  Deno.exitCode = 1;
}
