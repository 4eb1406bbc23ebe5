/**
 * What a descriptor is, by the path it was opened with.
 *
 * @module
 */

import type { Kernel } from "../sys/kernel.ts";
import {
  VFIO_DEVICE_FEATURE,
  VFIO_DEVICE_GET_GFX_DMABUF,
  VFIO_GROUP_GET_DEVICE_FD,
  VFIO_SET_IOMMU,
} from "../uapi/request.ts";
import {
  VFIO_DEVICE_FEATURE_DMA_BUF,
  VFIO_DEVICE_FEATURE_GET,
  VFIO_DEVICE_FEATURE_MASK,
  VFIO_SPAPR_TCE_IOMMU,
  VFIO_SPAPR_TCE_v2_IOMMU,
} from "../uapi/flag.ts";
import type { FileKind } from "./record.ts";

const GROUP = /^\/dev\/vfio\/(noiommu-)?(\d+)$/;

/** A group's node, taken apart. */
export interface GroupNode {
  /** "noiommu-" or "". */
  readonly prefix: string;
  readonly number: number;
}

/** Takes the path of a group apart; undefined for another path. */
export function groupNode(path: string): GroupNode | undefined {
  const match = GROUP.exec(path);
  return match === null ? undefined : { prefix: match[1] ?? "", number: Number(match[2]) };
}

/** What a path leads to. */
export function kindOfPath(path: string): FileKind {
  if (path === "/dev/vfio/vfio") return "container";
  if (GROUP.test(path)) return "group";
  if (/^\/dev\/vfio\/devices\/vfio\d+$/.test(path)) return "device";
  if (path === "/dev/iommu") return "iommufd";
  return /^\/(sys|proc)\//.test(path) ? "text" : "other";
}

/** The devices of a group, as sysfs lists them; none where it does not. */
export function groupDevices(kernel: Kernel, number: number): readonly string[] {
  const names = kernel.list(`/sys/kernel/iommu_groups/${number}/devices`);
  return typeof names === "number" ? [] : names;
}

const BUSES = ["pci", "mdev", "platform", "ap", "css", "fsl-mc", "amba", "cdx"];

/** The number of the group that a device is in; undefined if there is no such device. */
export function groupOfDevice(kernel: Kernel, name: string): number | undefined {
  for (const bus of BUSES) {
    const link = kernel.readlink(`/sys/bus/${bus}/devices/${name}/iommu_group`);
    const number = typeof link === "string" ? /(\d+)$/.exec(link)?.[1] : undefined;
    if (number !== undefined) return Number(number);
  }
  return undefined;
}

/** What the descriptor is that a request gives as its result; undefined if it gives none. */
export function madeBy(
  kind: FileKind,
  request: number,
  argument: Uint8Array,
): FileKind | undefined {
  if (kind === "group" && request === VFIO_GROUP_GET_DEVICE_FD) return "device";
  if (kind !== "device") return undefined;
  if (request === VFIO_DEVICE_GET_GFX_DMABUF) return "other";
  if (request !== VFIO_DEVICE_FEATURE || argument.length < 8) return undefined;
  const flags = new DataView(argument.buffer, argument.byteOffset).getUint32(4, true);
  const gets = (flags & VFIO_DEVICE_FEATURE_GET) !== 0;
  const feature = flags & VFIO_DEVICE_FEATURE_MASK;
  return gets && feature === VFIO_DEVICE_FEATURE_DMA_BUF ? "other" : undefined;
}

/** What a container becomes by a request that succeeded: on powerpc numbers change their meaning. */
export function kindAfter(kind: FileKind, request: number, value: bigint): FileKind {
  if (kind !== "container" || request !== VFIO_SET_IOMMU) return kind;
  const spapr = [VFIO_SPAPR_TCE_IOMMU, VFIO_SPAPR_TCE_v2_IOMMU].includes(Number(value));
  return spapr ? "spapr-container" : kind;
}
