/**
 * What the ABI of the v9 series, which never shipped, would have checked, for each answer to the
 * questions that its review asked in November 2019.
 *
 * @see https://lore.kernel.org/kvm/1573578220-7530-1-git-send-email-kwankhede@nvidia.com/
 * @module
 */

import type { Extent, ExtentSet } from "../base/extent.ts";
import { hex } from "../base/format.ts";
import { bitmapBytes, isAligned } from "../base/page.ts";

/** The questions of that review as switches. */
export interface ProposalV9 {
  /**
   * What `bitmap_size` is for. `validated`: it must hold a bit for each page. `ignored`: the kernel
   * knows how much it will write, and a buffer that is too small is overrun. `inferred`: range and
   * bitmap together give the page of a bit, the smallest power of two with which the bitmap holds
   * the range: 128 MiB with 8 bytes are pages of 2 MiB.
   */
  readonly bitmapSize: "validated" | "ignored" | "inferred";
  /**
   * Where inference ends: at the smallest page of the IOMMU, or nowhere, so that 4 KiB with one byte
   * are pages of 512 bytes. Only `inferred` asks for it.
   */
  readonly lowerBound: "smallest-iommu-page" | "any";
  /** What a bitmap consists of: a length in whole `__u64`, or in any number of bytes. */
  readonly unit: "u64" | "bytes";
  /**
   * Whether a group behind an IOMMU is dirty where it has pinned, from its first pin on, instead of
   * everywhere: `singleton` groups, and the others may not pin (EINVAL); `all` groups; `never`.
   */
  readonly scope: "singleton" | "all" | "never";
}

/** What mainline chose, in Linux v5.8 (2020); later it let all groups pin. */
export const MAINLINE_V5_8: ProposalV9 = {
  bitmapSize: "validated",
  lowerBound: "smallest-iommu-page",
  unit: "u64",
  scope: "singleton",
};

/** A kernel that says it speaks the proposal, and how. */
export interface ProposalKernel {
  /** The answers it was built with; undefined if it does not speak it. */
  readonly proposalV9: ProposalV9 | undefined;
}

/** The fields of a request that rules look at. */
export interface ProposalRequest extends Extent {
  /** Bytes of the bitmap, as the caller says. */
  readonly bitmapSize: bigint;
}

/** What a bitmap looks like. */
export interface ProposalBitmap {
  /** Bytes of memory that one bit stands for. */
  readonly pageSize: bigint;
  /** Bits that are used. */
  readonly bits: bigint;
  /** Bytes that the kernel writes. */
  readonly bytes: bigint;
}

const divideUp = (value: bigint, by: bigint): bigint => (value + by - 1n) / by;

/** The smallest power of two that is not below a number. */
const powerOfTwo = (value: bigint): bigint => 1n << BigInt((value - 1n).toString(2).length);

function pageOfBit(request: ProposalRequest, page: bigint, proposal: ProposalV9): bigint {
  const { size, bitmapSize } = request;
  if (proposal.bitmapSize !== "inferred" || bitmapSize === 0n) return page;
  const least = divideUp(size, bitmapSize * 8n);
  const inferred = least <= 1n ? 1n : powerOfTwo(least);
  return proposal.lowerBound === "smallest-iommu-page" && inferred < page ? page : inferred;
}

/**
 * Works out the bitmap of a request.
 *
 * @param page Bytes of the smallest page of the IOMMU.
 */
export function proposalBitmap(
  request: ProposalRequest,
  page: bigint,
  proposal: ProposalV9,
): ProposalBitmap {
  const pageSize = pageOfBit(request, page, proposal);
  const bits = divideUp(request.size, pageSize);
  const bytes = proposal.unit === "u64" ? bitmapBytes(bits) : divideUp(bits, 8n);
  return { pageSize, bits, bytes };
}

function sizeFault(
  request: ProposalRequest,
  page: bigint,
  proposal: ProposalV9,
): string | undefined {
  const { bitmapSize } = request;
  if (proposal.bitmapSize === "ignored") return undefined;
  if (bitmapSize === 0n) return "bitmap_size must be more than 0; got 0";
  if (proposal.bitmapSize === "validated") {
    const { bits, bytes } = proposalBitmap(request, page, proposal);
    if (bitmapSize >= bytes) return undefined;
    return `the bitmap needs ${bytes} bytes for ${bits} pages; got ${bitmapSize}`;
  }
  if (proposal.unit === "bytes" || bitmapSize % 8n === 0n) return undefined;
  return `bitmap_size must be a multiple of 8; got ${bitmapSize}`;
}

/**
 * Finds why a request would be refused; each refusal is an EINVAL.
 *
 * A range must lie inside one mapping and may be a part of it, as in the posted code; in the kernel
 * that shipped it is the other way round. A size of 0 and unaligned addresses, with which the posted
 * code went wrong, are refused here.
 *
 * @param space The smallest page of the IOMMU in bytes, and what is mapped.
 * @returns The rule with the wanted and the given value, as a sentence without its end.
 */
export function proposalFault(
  request: ProposalRequest,
  space: { readonly pageSize: bigint; readonly mappings: ExtentSet<Extent> },
  proposal: ProposalV9,
): string | undefined {
  const { iova, size } = request;
  const page = space.pageSize;
  if (size === 0n) return "the size must be more than 0; got 0";
  const text = `${hex(iova)}..${hex(iova + size - 1n)}`;
  if (iova + size > 1n << 64n) return `${text} goes beyond 2^64`;
  const fault = sizeFault(request, page, proposal);
  if (fault !== undefined) return fault;
  const { pageSize } = proposalBitmap(request, page, proposal);
  const unit = pageSize < page ? pageSize : page;
  for (const [name, value] of [["iova", iova], ["size", size]] as const) {
    if (isAligned(value, unit)) continue;
    return `${name} must be a multiple of the page size ${hex(unit)}; got ${hex(value)}`;
  }
  const mapping = space.mappings.overlapping(iova, size);
  const end = mapping === undefined ? 0n : mapping.iova + mapping.size;
  if (mapping !== undefined && mapping.iova <= iova && iova + size <= end) return undefined;
  return `${text} must lie inside one mapping`;
}
