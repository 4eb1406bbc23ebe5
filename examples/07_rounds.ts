#!/usr/bin/env -S deno run --cached-only --allow-ffi
// Poll the dirty pages of a mediated device, round by round, without stopping it.
//
// usage: 07_rounds.ts DEVICE [rounds [milliseconds]]        or --model
// On the lab's real kernel it wants the profile that has mediated devices; theirs is clean at rest:
//   deno task lab run --profile vendor examples/07_rounds.ts 50696e73-0000-4000-8000-000000000001
//
// sample output:
//   round 1: 6 pages, 6 new, 0 gone (pinned-scope)
//   round 2: 6 pages, 2 new, 2 gone (pinned-scope)
//   round 3: 6 pages, 2 new, 2 gone (pinned-scope)
import { Container, VfioError } from "@pinscope/vfio";
import { DEFAULT_MDEV, ModelKernel } from "@pinscope/vfio/model";

const [name = "-", rounds = "3", pause = name === "--model" ? "0" : "1000"] = Deno.args;
const model = name === "--model";
if (!model && name.startsWith("-")) {
  console.error("usage: 07_rounds.ts DEVICE [ROUNDS [MILLISECONDS]], or --model");
  Deno.exit(2);
}

try {
  using container = Container.open({ kernel: model ? new ModelKernel() : undefined });
  using group = container.attach(model ? DEFAULT_MDEV : name);
  using _device = group.device(); //            its driver begins to work when it is opened
  using memory = container.allocate(16n << 20n);
  using _mapping = container.map(memory); //    at the lowest free IOVA
  using tracker = container.trackDirty();

  // Each round is read on a thread of its own, and clears its pages.
  for await (const round of tracker.rounds({ interval: Number(pause), count: Number(rounds) })) {
    const { pages, fresh, gone, labels } = round;
    console.log(`round ${round.round}: ${pages} pages, ${fresh} new, ${gone} gone (${labels})`);
  }
} catch (error) {
  if (!(error instanceof VfioError || error instanceof Deno.errors.NotCapable)) throw error;
  console.error(error.message);
  Deno.exitCode = 1;
}
