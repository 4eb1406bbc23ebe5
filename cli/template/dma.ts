/** A script that lets a device copy memory, and looks at what is dirty then. */
export const DMA = `
try {
  using container = Container.open({ kernel });
  using group = container.attach(name);
  using device = group.device();
  const bar = device.region(0); // registers of QEMU's edu device: put those of yours here
  if ((bar.read32(0) & 0xffff) !== 0xed) throw new TypeError(name + " is not QEMU's edu");
  device.region(7).write(4, Uint8Array.of(0b110, 0)); // command register: memory on, bus master on
  using memory = container.allocate(1n << 20n);
  using _mapping = container.map(memory, { iova: 0x10_0000n }); // edu reaches 256 MiB
  using tracker = container.trackDirty();
  memory.bytes.set(new TextEncoder().encode("seen by a device"));
  const copy = (from: number, to: number, command: number): void => {
    bar.write32(0x80, from);
    bar.write32(0x88, to);
    bar.write32(0x90, 16); // bytes
    bar.write32(0x98, command | 1); // go; the bit is clear again when it is done
    while ((bar.read32(0x98) & 1) !== 0);
  };
  copy(0x10_0000, 0x4_0000, 0); // memory to the buffer of the device
  copy(0x4_0000, 0x10_2000, 2); // and back, two pages higher
  console.log(new TextDecoder().decode(memory.bytes.slice(0x2000, 0x2010)));
  for (const run of tracker.runs()) console.log(hex(run.iova), run.pages, "pages", run.label);
} catch (error) {`;
