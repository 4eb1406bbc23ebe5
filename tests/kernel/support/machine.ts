/** The machine that the lab boots, as tests name its parts. */

import { rawLinux as linux } from "../../../mod.ts";

/** The device that most tests use: edu, bound to vfio-pci, alone in its group. */
export const EDU = "0000:00:10.0";
/** A second one, in a group of its own. */
export const EDU2 = "0000:00:11.0";

/** 4 KiB: the page of the processor and the smallest of the IOMMU. */
export const PAGE = 0x1000n;
/** A MiB. */
export const MiB: bigint = 1n << 20n;
/** An address that edu can reach: its DMA mask has 28 bits. */
export const LOW = 0x100_0000n;

/** The number of a device's IOMMU group. */
export function groupOf(device: string): number {
  const link = linux.readlink(`/sys/bus/pci/devices/${device}/iommu_group`);
  if (typeof link === "number") throw new Error(`${device} has no IOMMU group: ${link}`);
  return Number(link.slice(link.lastIndexOf("/") + 1));
}

/** Writes a setting of the guest, and what stood there before at scope end. */
export function setting(path: string, value: string): Disposable {
  const text = Deno.readTextFileSync(path).trim();
  const before = /\[(\w+)\]/.exec(text)?.[1] ?? text; //  of several words the one in brackets
  Deno.writeTextFileSync(path, value);
  return { [Symbol.dispose]: () => Deno.writeTextFileSync(path, before) };
}

/** What the emulated VT-d says about itself: a witness that VFIO has no part in. */
export function vtd(): { addressBits: bigint; pageSizes: bigint; msi: [bigint, bigint] } {
  const cap = BigInt(`0x${Deno.readTextFileSync("/sys/class/iommu/dmar0/intel-iommu/cap").trim()}`);
  const folder = `/sys/kernel/iommu_groups/${groupOf(EDU)}`;
  const msi = /^(0x\w+) (0x\w+) msi$/m.exec(Deno.readTextFileSync(`${folder}/reserved_regions`));
  return {
    addressBits: (cap >> 16n & 0x3fn) + 1n,
    pageSizes: 0x1000n | (cap >> 34n & 1n) << 21n | (cap >> 35n & 1n) << 30n,
    msi: [BigInt(msi?.[1] ?? 0), BigInt(msi?.[2] ?? 0)],
  };
}

/** One past the highest address of the IOMMU: 2^39 with QEMU's own choice, 2^48 where it is told so. */
export function addressLimit(): bigint {
  return 1n << vtd().addressBits;
}
