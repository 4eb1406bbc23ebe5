import { ERRNO } from "../base/errno.ts";
import { check, type Reason, VfioError } from "../base/error.ts";
import type { Kernel } from "../sys/kernel.ts";
import type { OwnedFd } from "../sys/owned_fd.ts";
import { VFIO_TYPE1_IOMMU, VFIO_TYPE1v2_IOMMU } from "../uapi/flag.ts";
import {
  VFIO_CHECK_EXTENSION,
  VFIO_GROUP_SET_CONTAINER,
  VFIO_GROUP_UNSET_CONTAINER,
  VFIO_SET_IOMMU,
} from "../uapi/request.ts";
import { explainAttach } from "./explain.ts";
import { openGroup } from "./group.ts";
import { type IommuInfo, readIommuInfo } from "./iommu_info.ts";
import type { IommuType } from "./iommu_type.ts";
import { type GroupId, readGroup, resolve } from "./topology.ts";

const TYPES: Readonly<Record<IommuType, number>> = {
  v1: VFIO_TYPE1_IOMMU,
  v2: VFIO_TYPE1v2_IOMMU,
};

/** What {@link attachGroup} starts from. */
export interface AttachInit {
  readonly kernel: Kernel;
  /** The container's file. */
  readonly fd: number;
  readonly type: IommuType;
  /** The groups that the container has; for the first one its IOMMU must be set. */
  readonly attached: readonly number[];
  /** Bytes that are mapped already: they are pinned when a group joins. */
  readonly mapped: bigint;
}

/** A group that has joined a container. */
export interface Attached {
  readonly file: OwnedFd;
  readonly id: GroupId;
  /** The device that was named. */
  readonly device: string | undefined;
  /** What the container can do with the group in it. */
  readonly info: IommuInfo;
}

/**
 * Opens a group and puts it into a container; on a failure everything is taken back.
 *
 * The order is the kernel's: a container takes a type of IOMMU only when it has a group.
 *
 * @see drivers/vfio/container.c, vfio_ioctl_set_iommu
 */
export function attachGroup(init: AttachInit, target: string): Attached {
  const { kernel, fd } = init;
  const { group: number, device } = resolve(kernel, target);
  if (init.attached.includes(number)) {
    const name = device === undefined ? "" : `"${device}"`;
    throw new ReferenceError(
      `The container has group ${number} already: its devices are opened with group.device(${name})`,
    );
  }
  const id = readGroup(kernel, number);
  using stack = new DisposableStack();
  const file = stack.use(openGroup(kernel, id));
  const action = `attach group ${number} to the container`;
  const why = (errno: number): Reason | undefined => explainAttach(kernel, errno, init.mapped);
  const argument = new Uint8Array(Int32Array.of(fd).buffer);
  check(
    kernel.ioctlBuffer(file.fd, VFIO_GROUP_SET_CONTAINER, argument),
    "VFIO_GROUP_SET_CONTAINER",
    action,
    why,
  );
  stack.defer(() => void kernel.ioctl(file.fd, VFIO_GROUP_UNSET_CONTAINER));
  if (init.attached.length === 0) setIommu(init, action, why);
  const info = readIommuInfo(kernel, fd);
  stack.move(); // from here on the group owns its file
  return { file, id, device, info };
}

function setIommu(
  { kernel, fd, type }: AttachInit,
  action: string,
  why: (errno: number) => Reason | undefined,
): void {
  if (!hasExtension(kernel, fd, TYPES[type])) {
    throw new VfioError({
      operation: "VFIO_CHECK_EXTENSION",
      errno: ERRNO.ENODEV,
      action,
      hint: `the kernel has no type1 ${type} IOMMU; as root: modprobe vfio_iommu_type1`,
    });
  }
  check(kernel.ioctlValue(fd, VFIO_SET_IOMMU, BigInt(TYPES[type])), "VFIO_SET_IOMMU", action, why);
}

/** Asks a container for an extension. */
export function hasExtension(kernel: Kernel, fd: number, extension: number): boolean {
  const result = kernel.ioctlValue(fd, VFIO_CHECK_EXTENSION, BigInt(extension));
  return check(result, "VFIO_CHECK_EXTENSION", "ask the container for an extension") > 0;
}
