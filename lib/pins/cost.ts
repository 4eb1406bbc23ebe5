/**
 * What an operation of a type1 container should cost, by the kernel's rules.
 *
 * @see drivers/vfio/vfio_iommu_type1.c, vfio_pin_map_dma, vfio_iommu_replay, vfio_lock_acct
 * @module
 */

/** What a container has, as far as its costs go. */
export interface AccountState {
  /** Groups behind an IOMMU. */
  readonly iommuGroups: number;
  /** All groups. */
  readonly groups: number;
  /** Bytes that are mapped. */
  readonly mapped: bigint;
  /** Bytes that drivers have pinned and that were charged for it. */
  readonly driverLocked: bigint;
}

/** An operation whose cost is looked for. */
export type Operation =
  | { readonly kind: "attach"; readonly emulated: boolean }
  | { readonly kind: "detach"; readonly emulated: boolean }
  | { readonly kind: "map"; readonly size: bigint; readonly entries: number }
  | { readonly kind: "unmap"; readonly size: bigint; readonly entries: number }
  /** A driver pins (positive) or releases (negative) so many bytes that were not pinned before. */
  | { readonly kind: "driver"; readonly size: bigint };

/** What should happen to the counters. */
export interface Cost {
  /** Least and most that VmLck should move, in bytes; they differ where drivers take part. */
  readonly least: bigint;
  /** See {@link least}. */
  readonly most: bigint;
  /** How the mappings left should move. */
  readonly dmaAvailable: number;
  /** The rule, as a sentence without its end. */
  readonly rule: string;
}

const exactly = (locked: bigint, dmaAvailable: number, rule: string): Cost => ({
  least: locked,
  most: locked,
  dmaAvailable,
  rule,
});

/** Finds what an operation should cost. */
export function costOf(state: AccountState, operation: Operation): Cost {
  const { iommuGroups, groups, mapped, driverLocked } = state;
  switch (operation.kind) {
    case "attach":
      if (operation.emulated) return exactly(0n, 0, "a mediated device pins nothing by itself");
      if (iommuGroups > 0) return exactly(0n, 0, "everything is pinned for the IOMMU already");
      return exactly(
        mapped - driverLocked,
        0,
        "the first group behind an IOMMU pins all that is mapped; what drivers pinned is paid for",
      );
    case "detach":
      if (groups === 1) {
        return exactly(
          iommuGroups > 0 ? -mapped : -driverLocked,
          0,
          "with the last group everything is unmapped and given back",
        );
      }
      if (operation.emulated) return released(iommuGroups, driverLocked, 0);
      if (iommuGroups > 1) return exactly(0n, 0, "another group behind an IOMMU keeps it pinned");
      return exactly(
        driverLocked - mapped,
        0,
        "with the last group behind an IOMMU all is given back but what drivers have pinned",
      );
    case "map":
      return iommuGroups > 0
        ? exactly(operation.size, -operation.entries, "a mapping is pinned whole for the IOMMU")
        : exactly(0n, -operation.entries, "without an IOMMU a mapping pins nothing");
    case "unmap":
      return iommuGroups > 0
        ? exactly(-operation.size, operation.entries, "a mapping gives back what it pinned")
        : released(iommuGroups, smaller(driverLocked, operation.size), operation.entries);
    case "driver":
      return iommuGroups > 0
        ? exactly(0n, 0, "with an IOMMU a driver's pins are paid for by the mapping")
        : exactly(operation.size, 0, "without an IOMMU each page that a driver pins is charged");
  }
}

/** Drivers give back an amount that only they know. */
function released(iommuGroups: number, most: bigint, dmaAvailable: number): Cost {
  if (iommuGroups > 0) return exactly(0n, dmaAvailable, "the mappings pay, not the drivers");
  const rule = "drivers give back what they had pinned there";
  return { least: -most, most: 0n, dmaAvailable, rule };
}

const smaller = (a: bigint, b: bigint): bigint => a < b ? a : b;
