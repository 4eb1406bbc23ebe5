/**
 * Which fields of requests are descriptors or addresses: what another run has elsewhere.
 *
 * @module
 */

import { entryOf } from "../uapi/decode_table.ts";
import { type Leaf, leavesOf, readLeaf } from "../uapi/leaf.ts";
import { fdKindOf, type FileKind } from "./record.ts";

/** The largest bitmap, or other content, that a trace holds: as much as type1 takes at most. */
const MOST_CONTENT = 1n << 28n;

/** The value of a field of the same request, by its path; 0 if it is not there. */
type Fields = (path: string) => bigint;

interface Role {
  /** How many bytes the kernel may touch there. */
  readonly length: (fields: Fields, prefix: string) => bigint;
  /** Whether the kernel reads or writes them during the call; else it only remembers the place. */
  readonly content: boolean;
}

const ceilDiv = (a: bigint, b: bigint): bigint => b === 0n ? 0n : (a + b - 1n) / b;
const least = (a: bigint, b: bigint): bigint => a < b ? a : b;
const bitmapBytes = (size: bigint, page: bigint): bigint => ceilDiv(ceilDiv(size, page), 64n) * 8n;

const content = (length: Role["length"]): Role => ({
  content: true,
  length: (fields, prefix) => least(length(fields, prefix), MOST_CONTENT),
});
const place = (length: Role["length"]): Role => ({ content: false, length });
const counted = (field: string, width: bigint): Role =>
  content((fields, prefix) => fields(prefix + field) * width);

const MEMORY: Readonly<Record<string, Role>> = {
  "vfio_iommu_type1_dma_map.vaddr": place((fields) => fields("size")),
  "vfio_iommu_spapr_register_memory.vaddr": place((fields) => fields("size")),
  "iommu_ioas_map.user_va": place((fields) => fields("length")),
  // Of GET_BITMAP and of UNMAP; the caller's size may be larger than what the range needs.
  "vfio_bitmap.data": content((fields) => {
    const [page, size] = [fields("bitmap.pgsize"), fields("bitmap.size")];
    return page === 0n ? size : least(size, bitmapBytes(fields("size"), page));
  }),
  "vfio_device_feature_dma_logging_control.ranges": counted("num_ranges", 16n),
  "vfio_device_feature_dma_logging_report.bitmap": content((fields, prefix) =>
    bitmapBytes(fields(`${prefix}length`), fields(`${prefix}page_size`))
  ),
  "vfio_device_bind_iommufd.token_uuid_ptr": content(() => 16n),
  "iommu_ioas_iova_ranges.allowed_iovas": counted("num_iovas", 16n),
  "iommu_ioas_allow_iovas.allowed_iovas": counted("num_iovas", 16n),
  "iommu_hw_info.data_uptr": counted("data_len", 1n),
  "iommu_hwpt_alloc.data_uptr": counted("data_len", 1n),
  "iommu_viommu_alloc.data_uptr": counted("data_len", 1n),
  "iommu_hwpt_get_dirty_bitmap.data": content((fields) =>
    bitmapBytes(fields("length"), fields("page_size"))
  ),
  "iommu_hwpt_invalidate.data_uptr": content((fields) => fields("entry_len") * fields("entry_num")),
};

/** Descriptors, with what one is that the kernel made. */
const FDS: Readonly<Record<string, FileKind>> = {
  "argument.s32": "other",
  "vfio_irq_set.data[]": "other",
  "vfio_pci_hot_reset.group_fds[]": "other",
  "vfio_device_bind_iommufd.iommufd": "other",
  "vfio_device_ioeventfd.fd": "other",
  "vfio_device_feature_mig_state.data_fd": "migration",
  "vfio_device_low_power_entry_with_wakeup.wakeup_eventfd": "other",
  "iommu_ioas_map_file.fd": "other",
  "iommu_fault_alloc.out_fault_fd": "other",
  "iommu_veventq_alloc.out_veventq_fd": "other",
};

/** An address in a request. */
export interface PointerField {
  readonly at: number;
  readonly field: string;
  readonly address: bigint;
  /** Bytes that the kernel may touch there. */
  readonly length: bigint;
  /** Whether it does so during the call. */
  readonly content: boolean;
}

/** A descriptor in a request. */
export interface FdField {
  readonly at: number;
  /** What it is if the kernel makes it. */
  readonly kind: FileKind;
}

/** What of a request's argument is a place in this process. */
export interface Places {
  readonly pointers: readonly PointerField[];
  readonly fds: readonly FdField[];
}

const NOWHERE: Places = { pointers: [], fds: [] };

/** Finds addresses and descriptors in the argument of a request. */
export function placesOf(kind: FileKind, request: number, bytes: Uint8Array): Places {
  const known = fdKindOf(kind);
  const entry = known === undefined ? undefined : entryOf(known, request);
  if (entry === undefined) return NOWHERE;
  const leaves = leavesOf(entry.argument, bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields: Fields = (path) => {
    const leaf = leaves.find((one) => one.path === path);
    return leaf === undefined ? 0n : readLeaf(view, leaf);
  };
  return {
    pointers: leaves.flatMap((leaf) => pointerOf(leaf, view, fields)),
    fds: leaves.flatMap(({ key, at }) => {
      const made = FDS[key];
      return made === undefined ? [] : [{ at, kind: made }];
    }),
  };
}

function pointerOf(leaf: Leaf, view: DataView, fields: Fields): PointerField[] {
  const { key, path, at, type } = leaf;
  const role = MEMORY[key];
  if (role === undefined && type !== "ptr") return [];
  const prefix = path.slice(0, path.lastIndexOf(".") + 1);
  return [{
    at,
    field: path,
    address: readLeaf(view, leaf),
    length: role?.length(fields, prefix) ?? 0n,
    content: role?.content ?? false,
  }];
}
