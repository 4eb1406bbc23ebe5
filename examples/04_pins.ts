#!/usr/bin/env -S deno run --cached-only --allow-ffi
// Find the pages that a mediated device's driver has pinned, and what dirty means for it.
//
// usage: 04_pins.ts DEVICE        or --model
//
// sample output:
//   pinned-scope (by rule): all devices are mediated: only what their drivers pin or write is
//   reported
//   4 pages pinned from 0x50000
//   2 pages pinned from 0x60000
import { Container, hex, VfioError } from "@pinscope/vfio";
import { DEFAULT_MDEV, ModelKernel } from "@pinscope/vfio/model";

const [name = "-"] = Deno.args;
const model = name === "--model";
if (!model && name.startsWith("-")) {
  console.error("usage: 04_pins.ts DEVICE, or --model");
  Deno.exit(2);
}

try {
  using container = Container.open({ kernel: model ? new ModelKernel() : undefined });
  using group = container.attach(model ? DEFAULT_MDEV : name);
  using _device = group.device(); //     its driver begins to work when it is opened
  using memory = container.allocate(1n << 20n);
  using _mapping = container.map(memory);
  const { label, basis, reason } = container.scope();
  console.log(`${label} (by ${basis}): ${reason}`);

  const pinned = container.pinned(); // read off the dirty bitmap: no request lists pinned pages
  if (!pinned.known) console.log(`pinned pages cannot be told: ${pinned.reason}`);
  else {
    for (const { pages, iova } of pinned.pages.runs()) {
      console.log(`${pages} pages pinned from ${hex(iova)}`);
    }
  }
} catch (error) {
  if (!(error instanceof VfioError || error instanceof Deno.errors.NotCapable)) throw error;
  console.error(error.message);
  Deno.exitCode = 1;
}
