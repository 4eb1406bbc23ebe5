#!/usr/bin/env -S deno run --cached-only --allow-ffi
// Ask which rules a request breaks, before the kernel says EINVAL and no more.
//
// usage: 03_explain.ts DEVICE        or --model
//
// sample output:
//   map.align: iova must be a multiple of the page size 0x1000; got 0x1001
//   refused: Cannot map memory: 0xfee00000..0xfee00fff is outside the IOVA ranges ...
import { Container, RuleError, VfioError } from "@pinscope/vfio";
import { ModelKernel } from "@pinscope/vfio/model";

const [name = "-"] = Deno.args;
const model = name === "--model";
if (!model && name.startsWith("-")) {
  console.error("usage: 03_explain.ts DEVICE, or --model");
  Deno.exit(2);
}

try {
  using container = Container.open({ kernel: model ? new ModelKernel() : undefined });
  using _group = container.attach(model ? "0000:00:10.0" : name);

  const wanted = { flags: 1, vaddr: 0n, iova: 0x1001n, size: 4096n }; // flags: READ
  const { refusals } = container.explain({ request: "VFIO_IOMMU_MAP_DMA", ...wanted });
  for (const { rule, reason } of refusals) console.log(`${rule}: ${reason}`);

  using memory = container.allocate(4096n);
  // The objects of a script hold to the same rules: this never reaches the kernel.
  using _mapping = container.map(memory, { iova: 0xfee0_0000n }); // where x86 has its interrupts
} catch (error) {
  if (error instanceof RuleError) console.log(`refused: ${error.message}`);
  else if (error instanceof VfioError || error instanceof Deno.errors.NotCapable) {
    console.error(error.message);
    Deno.exitCode = 1;
  } else throw error;
}
