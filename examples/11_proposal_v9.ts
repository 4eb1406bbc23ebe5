#!/usr/bin/env -S deno run --cached-only
// Ask the v9 series (2019, never shipped) what its review asked; mainline later took scope all.
//
// usage: 11_proposal_v9.ts        cells: a bit's page; bytes written too far (+); then dirty pages
//
// sample output:
//   as mainline, but    128M in 8 in 4096   4K in 1   in 8      alone     in a pair
//   mainline v5.8, 2020 EINVAL    4 KiB     EINVAL    4 KiB     1         no pin
//   bytes               EINVAL    4 KiB     4 KiB     4 KiB     1         no pin
//   ignored             +4088     4 KiB     +7        4 KiB     1         no pin
//   inferred bytes      2 MiB     4 KiB     4 KiB     4 KiB     1         no pin
//   inferred bytes any  2 MiB     4 KiB     512 bytes 64 bytes  1         no pin
//   all                 EINVAL    4 KiB     EINVAL    4 KiB     1         1
//   never               EINVAL    4 KiB     EINVAL    4 KiB     32768     32768
import { Container, formatSize, readDirtyV9, VfioError } from "@pinscope/vfio";
import { ModelKernel, type ProposalV9, VENDOR } from "@pinscope/vfio/model";

const pci = { kind: "pci", id: [0x1234, 0x11e8], class: 0x00ff00, driver: VENDOR } as const;
const devices = [1, 2, 3].map((n) => ({ ...pci, name: `0000:00:0${n}.0`, group: n === 1 ? 1 : 2 }));
const infer = { bitmapSize: "inferred", unit: "bytes" } as const;
const sizes: Partial<ProposalV9>[] = [{}, { unit: "bytes" }, { bitmapSize: "ignored" }, infer];
const more: typeof sizes = [{ ...infer, lowerBound: "any" }, { scope: "all" }, { scope: "never" }];
/** A device pins a page of a mapping of 2^bits bytes, which is then read; 0 bytes: as needed. */
function ask(proposal: Partial<ProposalV9>, device: number, bits: number, bytes: number): string {
  const kernel = new ModelKernel({ devices, proposal });
  using container = Container.open({ kernel });
  using _group = container.attach(`0000:00:0${device}.0`);
  using memory = container.allocate(1n << BigInt(bits));
  using _mapping = container.map(memory, { iova: 0n });
  if (kernel.vendor(`0000:00:0${device}.0`).pin(0n, 1) < 0) return "no pin";
  try {
    const range = { iova: 0n, size: memory.size, bitmapBytes: bytes || undefined };
    const { count, overrun, pageSize = 0n } = readDirtyV9(container, range);
    return bytes === 0 ? `${count}` : overrun > 0 ? `+${overrun}` : formatSize(pageSize);
  } catch (error) {
    return error instanceof VfioError ? error.code : String(error);
  }
}
const reads = [[1, 27, 8], [1, 27, 4096], [1, 12, 1], [1, 12, 8], [1, 27, 0], [2, 27, 0]] as const;
console.log("as mainline, but    128M in 8 in 4096   4K in 1   in 8      alone     in a pair");
for (const answers of [...sizes, ...more]) {
  const cells = reads.map(([on, size, to]) => ask(answers, on, size, to).padEnd(10)).join("");
  const name = Object.values(answers).join(" ") || "mainline v5.8, 2020";
  console.log((name.padEnd(20) + cells).trimEnd());
}
