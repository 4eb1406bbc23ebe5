#!/usr/bin/env -S deno run --cached-only --allow-ffi
// Let QEMU's edu device copy memory to memory, through a buffer of its own.
// In the lab: deno task lab run examples/10_edu_dma.ts 0000:00:10.0
// sample output:
//   edu 0x10000ed copied: "pages seen by a device"
//   dirty: 1 page, all-mapped
import { Container, hex, VfioError } from "@pinscope/vfio";
import { ModelKernel } from "@pinscope/vfio/model";

const IOVA = 0x1_0000n, BUFFER = 0x4_0000; // edu reaches the lowest 256 MiB; its own 4 KiB
const [name = "-"] = Deno.args;
const model = name === "--model";
if (!model && name.startsWith("-")) {
  console.error("usage: 10_edu_dma.ts DEVICE, or --model");
  Deno.exit(2);
}

try {
  using container = Container.open({ kernel: model ? new ModelKernel() : undefined });
  using group = container.attach(model ? "0000:00:10.0" : name);
  using device = group.device();
  device.region(7).write(4, Uint8Array.of(0b110, 0)); // memory space and bus master on
  using memory = container.allocate(4096n);
  using _mapping = container.map(memory, { iova: IOVA });
  using tracker = container.trackDirty();
  const text = new TextEncoder().encode("pages seen by a device");
  memory.bytes.set(text);
  const bar = device.region(0);
  const copy = (source: number, target: number, command: number): void => {
    bar.write32(0x80, source);
    bar.write32(0x88, target);
    bar.write32(0x90, text.length);
    bar.write32(0x98, command | 1);
    while ((bar.read32(0x98) & 1) !== 0); // done when the bit is clear
  };
  copy(Number(IOVA), BUFFER, 0);
  copy(BUFFER, Number(IOVA) + 2048, 2);
  const copied = new TextDecoder().decode(memory.bytes.slice(2048, 2048 + text.length));
  console.log(`edu ${hex(bar.read32(0))} copied: "${copied}"`);
  for (const run of tracker.runs()) console.log("dirty:", run.pages, "page,", run.label);
} catch (error) {
  if (!(error instanceof VfioError || error instanceof Deno.errors.NotCapable)) throw error;
  console.error(error.message);
  Deno.exitCode = 1;
}
