#!/usr/bin/env -S deno run --cached-only --allow-ffi
// Attach a device and say what its container can do.
//
// usage: 08_info.ts DEVICE        0000:00:10.0, a UUID, or group:12; or --model
//
// sample output:
//   group 3: 0000:00:10.0 (vfio-pci)
//   page sizes from 4 KiB, bitmaps up to 256 MiB, 65535 mappings left
//   iova 0x0 .. 0xfedfffff
//   iova 0xfef00000 .. 0xffffffffffff
//   region 0: 1 MiB
//   region 7: 256 bytes
import { Container, formatSize, hex, VfioError } from "@pinscope/vfio";
import { ModelKernel } from "@pinscope/vfio/model";

const [name = "-"] = Deno.args;
const model = name === "--model";
if (!model && name.startsWith("-")) {
  console.error("usage: 08_info.ts DEVICE, or --model");
  Deno.exit(2);
}

try {
  using container = Container.open({ kernel: model ? new ModelKernel() : undefined });
  using group = container.attach(model ? "0000:00:10.0" : name);
  const devices = group.devices.map((id) => `${id.name} (${id.driver ?? "no driver"})`);
  console.log(`group ${group.number}: ${devices.join(", ")}`);

  const { pageSize, migration, dmaAvailable, iovaRanges = [] } = container.info();
  console.log(
    `page sizes from ${formatSize(pageSize)},`,
    `bitmaps up to ${formatSize(migration?.maxBitmapBytes ?? 0n)},`,
    `${dmaAvailable ?? "?"} mappings left`,
  );
  for (const { start, end } of iovaRanges) console.log(`iova ${hex(start)} .. ${hex(end)}`);

  using device = group.device();
  for (const { info } of device.regions()) {
    console.log(`region ${info.index}: ${formatSize(info.size)}`);
  }
} catch (error) {
  if (!(error instanceof VfioError || error instanceof Deno.errors.NotCapable)) throw error;
  console.error(error.message);
  Deno.exitCode = 1;
}
