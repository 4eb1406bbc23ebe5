#!/usr/bin/env -S deno run --cached-only --allow-ffi
// Map memory for a device, and see what that locks.
//
// usage: 02_map.ts DEVICE        or --model
//
// sample output:
//   64 MiB at iova 0x40000: VmLck +64 MiB
//   unmapped: VmLck +0 bytes
import { Container, formatSize, hex, VfioError } from "@pinscope/vfio";
import { ModelKernel } from "@pinscope/vfio/model";

const [name = "-"] = Deno.args;
const model = name === "--model";
if (!model && name.startsWith("-")) {
  console.error("usage: 02_map.ts DEVICE, or --model");
  Deno.exit(2);
}

try {
  using container = Container.open({ kernel: model ? new ModelKernel() : undefined });
  using _group = container.attach(model ? "0000:00:10.0" : name);
  const before = container.pins();
  const tell = (what: string): void =>
    console.log(`${what}: VmLck +${formatSize(container.pins().since(before).locked)}`);
  {
    using memory = container.allocate(64n << 20n); // anonymous memory, page aligned
    using mapping = container.map(memory); //         at the lowest address that is free
    tell(`${formatSize(mapping.size)} at iova ${hex(mapping.iova)}`);
  } // unmapped, and given back, at the end of its block
  tell("unmapped");
} catch (error) {
  if (!(error instanceof VfioError || error instanceof Deno.errors.NotCapable)) throw error;
  console.error(error.message);
  Deno.exitCode = 1;
}
