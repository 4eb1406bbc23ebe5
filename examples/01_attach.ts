#!/usr/bin/env -S deno run --cached-only --allow-ffi
// Attach a device.
//
// usage: 01_attach.ts DEVICE        or --model, for the built-in model kernel
//
// sample output:
//   group 3, pages of 4096 bytes
import { Container, VfioError } from "@pinscope/vfio";
import { ModelKernel } from "@pinscope/vfio/model";

const [name = "-"] = Deno.args;
const model = name === "--model";
if (!model && name.startsWith("-")) {
  console.error("usage: 01_attach.ts DEVICE, or --model");
  Deno.exit(2);
}

try {
  using container = Container.open({ kernel: model ? new ModelKernel() : undefined });
  using group = container.attach(model ? "0000:00:10.0" : name);
  console.log(`group ${group.number}, pages of ${container.pageSize} bytes`);
} catch (error) { // what the kernel refuses says why, and what to do
  if (!(error instanceof VfioError || error instanceof Deno.errors.NotCapable)) throw error;
  console.error(error.message);
  Deno.exitCode = 1;
}
