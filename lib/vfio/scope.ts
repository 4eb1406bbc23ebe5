import type { DirtyLabel } from "../dirty/label.ts";
import { type GroupId, isEmulated } from "./topology.ts";

/**
 * What type1 reports as dirty, by the groups in a container.
 *
 * A group behind an IOMMU makes every mapped page dirty until its driver pins for the first time, and
 * vfio-pci never pins. With another driver the groups alone do not tell. Emulated groups report what
 * their drivers pin or write.
 *
 * @see drivers/vfio/vfio_iommu_type1.c, num_non_pinned_groups
 */
export function scopeOf(groups: Iterable<Pick<GroupId, "devices">>): DirtyLabel {
  let label: DirtyLabel = "pinned-scope";
  for (const group of groups) {
    if (isEmulated(group)) continue;
    const plain = group.devices.every(({ driver }) => driver === undefined || PLAIN.has(driver));
    if (plain) return "all-mapped";
    label = "unknown";
  }
  return label;
}

/** Drivers without the callback that pinning needs. */
const PLAIN: ReadonlySet<string> = new Set(["vfio-pci", "vfio-platform", "pcieport", "pci-stub"]);
