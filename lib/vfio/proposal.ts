import { checkKind } from "../base/argument.ts";
import { ERRNO } from "../base/errno.ts";
import { VfioError } from "../base/error.ts";
import { type Extent, ExtentSet } from "../base/extent.ts";
import { formatSize, hex } from "../base/format.ts";
import { alignUp, bitmapBytes } from "../base/page.ts";
import {
  proposalBitmap,
  proposalFault,
  type ProposalKernel,
  type ProposalV9,
} from "../rules/proposal.ts";
import type { Kernel } from "../sys/kernel.ts";
import { VFIO_IOMMU_GET_DIRTY_BITMAP, vfio_iommu_type1_dirty_bitmap } from "../uapi/proposal_v9.ts";
import type { Container } from "./container.ts";
import { HostMemory } from "../sys/memory.ts";

const NAME = "VFIO_IOMMU_GET_DIRTY_BITMAP";
const MOST = 256n << 20n;
/** What lies behind the bitmap, and is looked at to see whether the kernel wrote there. */
const UNTOUCHED = 0x5a;
const GUARD = 4096n;

/** What {@link readDirtyV9} asks for. Kernels are asked as it stands: size 0 or an odd address too. */
export interface DirtyV9Request extends Extent {
  /** The bitmap's length as the kernel is told it; whole `__u64` with a bit a page, if left out. */
  readonly bitmapBytes?: number | undefined;
  /** Asks a kernel that does not say that it speaks the proposal: one that you built with it. */
  readonly force?: boolean | undefined;
}

/** What {@link readDirtyV9} gives. */
export interface DirtyV9 {
  /** A copy of the bitmap, as long as the kernel was told; bit 0 of byte 0 is the page at `iova`. */
  readonly bitmap: Uint8Array<ArrayBuffer>;
  /** How many of its bits are set. */
  readonly count: number;
  /** Bytes that one bit stands for, if the kernel says how it speaks the proposal. */
  readonly pageSize: bigint | undefined;
  /** Bytes that the kernel wrote, at least, behind the end that it was told. */
  readonly overrun: number;
}

/**
 * Reads dirty pages with the request of the v9 series, which **never shipped**: for experiments, on a
 * model with `proposal` in its scene. The kernel is never told of more memory than there is, and
 * there is room for one that does not look at what it is told.
 *
 * @example 128 MiB in one word, by a kernel that infers the page of a bit
 * ```ts
 * import { Container, readDirtyV9 } from "@pinscope/vfio";
 * import { ModelKernel } from "@pinscope/vfio/model";
 *
 * const kernel = new ModelKernel({ proposal: { bitmapSize: "inferred" } });
 * using container = Container.open({ kernel });
 * using _group = container.attach("0000:00:10.0");
 * using memory = container.allocate(128n << 20n);
 * using _mapping = container.map(memory, { iova: 0n });
 * const { pageSize } = readDirtyV9(container, { iova: 0n, size: 128n << 20n, bitmapBytes: 8 });
 * if (pageSize !== 2n << 20n) throw new Error("a bit stands for 2 MiB");
 * ```
 *
 * @param container One with a group.
 * @throws {TypeError} If an address or a length is of the wrong type.
 * @throws {RangeError} If one is negative or too large, or the bitmap longer than 256 MiB.
 * @throws {VfioError} EOPNOTSUPP on a kernel that does not speak the proposal, as all real ones, and
 *   nothing was asked of it then; else what the kernel answers: EINVAL, or EACCES for a v1 container.
 * @see https://lore.kernel.org/kvm/1573578220-7530-1-git-send-email-kwankhede@nvidia.com/
 */
export function readDirtyV9(container: Container, request: DirtyV9Request): DirtyV9 {
  const { iova, size } = request;
  checkU64("iova", iova);
  checkU64("size", size);
  const { rawKernel: kernel, pageSize: page } = container;
  const proposal = spokenBy(kernel);
  if (proposal === undefined && request.force !== true) throw notSpoken();
  const need = bitmapBytes((size + page - 1n) / page);
  const told = BigInt(checkBytes(request.bitmapBytes ?? Number(need)));
  const room = need > told ? need : told;
  if (room > MOST) {
    throw new RangeError(
      `The bitmap may have at most ${formatSize(MOST)}; the range needs ${formatSize(room)}`,
    );
  }

  using memory = HostMemory.allocate(kernel, alignUp(room, GUARD) + GUARD);
  const { bytes } = memory;
  const behind = bytes.subarray(Number(told)).fill(UNTOUCHED);
  const struct = vfio_iommu_type1_dirty_bitmap.create();
  const { fields } = struct;
  fields.argsz = vfio_iommu_type1_dirty_bitmap.size;
  fields.iova = iova;
  fields.size = size;
  fields.bitmap_size = told;
  struct.point("bitmap", memory);
  const result = container.rawIoctl(VFIO_IOMMU_GET_DIRTY_BITMAP, struct.bytes);
  const asked = { iova, size, bitmapSize: told };
  if (result < 0) throw refused(-result, asked, container, proposal);
  const bitmap = bytes.slice(0, Number(told));
  return {
    bitmap,
    count: countBits(bitmap),
    pageSize: proposal && proposalBitmap(asked, page, proposal).pageSize,
    overrun: behind.findLastIndex((byte) => byte !== UNTOUCHED) + 1,
  };
}

/** How a kernel speaks the proposal. What calls itself "linux" is not believed. */
function spokenBy(kernel: Kernel & Partial<ProposalKernel>): ProposalV9 | undefined {
  return kernel.name === "linux" ? undefined : kernel.proposalV9;
}

const ACTION = "read dirty pages by the ABI of the v9 series";

function notSpoken(): VfioError {
  return new VfioError({
    operation: NAME,
    errno: ERRNO.EOPNOTSUPP,
    action: ACTION,
    hint: `it never shipped, and its number ${hex(VFIO_IOMMU_GET_DIRTY_BITMAP)} now means ` +
      "VFIO_IOMMU_DIRTY_PAGES; use container.trackDirty(), or a ModelKernel with a proposal",
  });
}

function refused(
  errno: number,
  request: Extent & { readonly bitmapSize: bigint },
  container: Container,
  proposal: ProposalV9 | undefined,
): VfioError {
  const mappings = new ExtentSet<Extent>();
  for (const { pieces } of container.mappings) for (const piece of pieces) mappings.add(piece);
  const fault = proposal &&
    proposalFault(request, { mappings, pageSize: container.pageSize }, proposal);
  const hint = errno === ERRNO.EACCES
    ? "a v1 container has no dirty pages; open it with type v2, the default"
    : fault ??
      (proposal === undefined
        ? "the number means VFIO_IOMMU_DIRTY_PAGES to a kernel without the v9 series"
        : undefined);
  return new VfioError({ operation: NAME, errno, action: ACTION, hint, details: { ...request } });
}

function countBits(bitmap: Uint8Array): number {
  let count = 0;
  for (let byte of bitmap) for (; byte !== 0; byte &= byte - 1) count += 1;
  return count;
}

function checkU64(name: string, value: bigint): void {
  checkKind(name, value, "bigint");
  if (value < 0n || value >= 1n << 64n) {
    throw new RangeError(`${name} must be at least 0 and below 2^64; got ${value}`);
  }
}

function checkBytes(value: number): number {
  if (typeof value !== "number") {
    throw new TypeError(`bitmapBytes must be a number; got ${typeof value}`);
  }
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`bitmapBytes must be a whole number of at least 0; got ${value}`);
  }
  return value;
}
