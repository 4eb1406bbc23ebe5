import { check, VfioError } from "../base/error.ts";
import { ERRNO } from "../base/errno.ts";
import { lowestBit } from "../base/page.ts";
import type { IovaRange } from "../rules/iova.ts";
import type { Kernel } from "../sys/kernel.ts";
import type { IommuType } from "./iommu_type.ts";
import {
  capabilities,
  decodeDmaAvail,
  decodeIovaRanges,
  decodeMigration,
} from "../uapi/capability.ts";
import {
  VFIO_IOMMU_INFO_CAPS,
  VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE,
  VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION,
  VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL,
} from "../uapi/flag.ts";
import { VFIO_IOMMU_GET_INFO } from "../uapi/request.ts";
import { vfio_iommu_type1_info } from "../uapi/type1.ts";

/** What a container can do, from VFIO_IOMMU_GET_INFO and its capabilities. */
export interface IommuInfo {
  /** `iommufd-compat` is iommufd behind /dev/vfio/vfio: it maps, and has no dirty pages. */
  readonly backend: "type1" | "iommufd-compat";
  /** The page sizes that may be mapped, one bit each. */
  readonly pageSizes: bigint;
  /** The smallest of them, in bytes: the unit of addresses, lengths and the dirty bitmap. */
  readonly pageSize: bigint;
  /** Usable addresses; undefined where only emulated devices are attached. */
  readonly iovaRanges: readonly IovaRange[] | undefined;
  /** Dirty tracking; undefined where the container has none (before Linux v5.8, or iommufd). */
  readonly migration: { readonly pageSizes: bigint; readonly maxBitmapBytes: bigint } | undefined;
  /** Mappings that may still be made; undefined before Linux v5.10. */
  readonly dmaAvailable: number | undefined;
}

/** Tries: the chain can grow between the two calls, as when a group joins. */
const ATTEMPTS = 8;
/** No kernel has a chain near this size; one that says so is broken. */
const MAX_INFO_BYTES = 1 << 20;
/** What iommufd reports, which has no limit. */
const NO_LIMIT = 0xffff_ffff;

/**
 * Asks a container for its page sizes, ranges and limits.
 *
 * @throws {VfioError} EINVAL, as long as no group is attached.
 * @see drivers/vfio/vfio_iommu_type1.c, vfio_iommu_type1_get_info
 */
export function readIommuInfo(kernel: Kernel, fd: number): IommuInfo {
  const bytes = readWithCapabilities(kernel, fd);
  const { flags, iova_pgsizes, cap_offset } = vfio_iommu_type1_info.over(bytes).fields;
  let iovaRanges: readonly IovaRange[] | undefined;
  let migration: IommuInfo["migration"];
  let dmaAvailable: number | undefined;
  if ((flags & VFIO_IOMMU_INFO_CAPS) !== 0 && cap_offset !== 0) {
    for (const capability of capabilities(bytes, cap_offset)) {
      switch (capability.id) {
        case VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE:
          iovaRanges = decodeIovaRanges(capability.bytes);
          break;
        case VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION:
          migration = decodeMigration(capability.bytes);
          break;
        case VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL:
          dmaAvailable = decodeDmaAvail(capability.bytes);
          break;
      }
    }
  }
  const compat = migration === undefined && dmaAvailable === NO_LIMIT;
  return {
    backend: compat ? "iommufd-compat" : "type1",
    pageSizes: iova_pgsizes,
    pageSize: lowestBit(iova_pgsizes),
    iovaRanges,
    migration,
    dmaAvailable: compat ? undefined : dmaAvailable,
  };
}

/** A container with dirty tracking. */
export type DirtyInfo = IommuInfo & { readonly migration: NonNullable<IommuInfo["migration"]> };

/**
 * Checks that a container has dirty tracking.
 *
 * @throws {VfioError} Saying why it has none: v1, iommufd behind /dev/vfio/vfio, an old kernel.
 */
export function dirtyInfo(info: IommuInfo, type: IommuType): DirtyInfo {
  const { migration, backend } = info;
  if (type === "v2" && migration !== undefined) return { ...info, migration };
  const hint = type === "v1"
    ? "a v1 container has no dirty pages; open it with type v2, the default"
    : backend === "iommufd-compat"
    ? "this container is iommufd's compatibility layer behind /dev/vfio/vfio, and only type1 has " +
      "dirty pages there"
    : "the kernel has no MIGRATION capability: dirty pages came with Linux v5.8";
  throw new VfioError({
    operation: "VFIO_IOMMU_DIRTY_PAGES",
    errno: type === "v1" ? ERRNO.EACCES : ERRNO.ENOTTY,
    action: "track dirty pages",
    hint,
    rule: type === "v1" ? "dirty.v1" : undefined,
  });
}

/** The two-call idiom: the first call says how much room the capabilities need. */
function readWithCapabilities(kernel: Kernel, fd: number): Uint8Array {
  let size = vfio_iommu_type1_info.size;
  for (let i = 0; i < ATTEMPTS; i += 1) {
    const request = vfio_iommu_type1_info.create(size - vfio_iommu_type1_info.size);
    request.fields.argsz = size;
    check(
      kernel.ioctlBuffer(fd, VFIO_IOMMU_GET_INFO, request.bytes),
      "VFIO_IOMMU_GET_INFO",
      "read the container's properties",
      "a container has none before a group is attached",
    );
    const { argsz } = request.fields;
    if (argsz <= size) return request.bytes;
    if (argsz > MAX_INFO_BYTES) break;
    size = argsz;
  }
  throw new VfioError({
    operation: "VFIO_IOMMU_GET_INFO",
    errno: ERRNO.E2BIG,
    action: "read the container's properties",
    hint: `the kernel asks for ever more room than ${size} bytes`,
  });
}
