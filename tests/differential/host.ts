/** What a player asks of the host beside VFIO. */
import type { Kernel } from "../../lib/sys/kernel.ts";
import { readText } from "../../lib/sys/text.ts";

/** The folders of sysfs in which devices stand by name. */
const BUSES = ["pci", "mdev"] as const;
/** The node of a device's group. */
export function groupNode(kernel: Kernel, device: string): string {
  for (const bus of BUSES) {
    const link = kernel.readlink(`/sys/bus/${bus}/devices/${device}/iommu_group`);
    if (typeof link === "string") return `/dev/vfio/${link.slice(link.lastIndexOf("/") + 1)}`;
  }
  throw new Error(`${kernel.name}: ${device} has no IOMMU group`);
}

/** Pages of memory that this process has locked, and pinned. */
export function chargedPages(kernel: Kernel): { readonly locked: number; readonly pinned: number } {
  const text = readText(kernel, "/proc/self/status");
  const pages = (name: string): number => {
    const found = typeof text === "string"
      ? new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(text)
      : null;
    if (found === null) throw new Error(`${kernel.name}: /proc/self/status has no ${name}`);
    return Number(found[1]) / 4;
  };
  return { locked: pages("VmLck"), pinned: pages("VmPin") };
}
