import type { Kinds } from "../base/argument.ts";
import { ERRNO } from "../base/errno.ts";
import { VfioError } from "../base/error.ts";
import type { PinAccount } from "../iommufd/iommufd.ts";
import type { Kernel } from "../sys/kernel.ts";
import type { Device } from "./device.ts";

/** How to open a container over iommufd. */
export interface IommufdContainerOptions {
  /** The kernel to talk to: the running one by default, or a model of one. */
  readonly kernel?: Kernel | undefined;
  /** Whom pinned memory is charged to: `user` by default; `process` is what type1 does. */
  readonly account?: PinAccount;
  /**
   * Whether page tables may use huge entries; true by default. A dirty bit then stands for a whole
   * entry, and windows do not cut mappings.
   */
  readonly hugePages?: boolean;
}

/** Their kinds. */
export const OPTIONS: Kinds<IommufdContainerOptions> = {
  kernel: "object",
  account: ["user", "process"],
  hugePages: "boolean",
};

/** A device of an {@link IommufdContainer}; dispose takes it out and closes it. */
export interface IommufdMember extends Disposable {
  /** As sysfs names it. */
  readonly name: string;
  /** Whether its IOMMU tells which pages it writes. */
  readonly tracksDirty: boolean;
  /** Opens its regions, interrupts and features, as the device of a group. */
  device(): Device;
}

/** A mediated device's memory is reached by its driver, which no IOMMU sees. */
export const isMediated = (name: string): boolean => !name.includes(":");

/** Why dirty pages cannot be tracked: nothing tells what these devices write. */
export function unseenError(action: string, names: readonly string[]): VfioError {
  return new VfioError({
    operation: "IOMMU_HWPT_ALLOC",
    errno: ERRNO.EOPNOTSUPP,
    action,
    hint: `nothing tells what ${names.join(" and ")} writes: an IOMMU without dirty tracking, or ` +
      "a mediated device; try device.logDma, or a Container of type1",
  });
}
