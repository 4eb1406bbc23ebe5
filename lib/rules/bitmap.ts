/**
 * The tests of struct vfio_bitmap that GET_BITMAP and UNMAP share.
 *
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import { formatSize, hex } from "../base/format.ts";
import { bitmapBytes } from "../base/page.ts";

/** Largest bitmap of one call, in bytes. @see DIRTY_BITMAP_SIZE_MAX */
export const DIRTY_BITMAP_SIZE_MAX = 0x1000_0000;

/**
 * Addresses from here on are no process's, on any x86-64: with four levels of page tables those from
 * 2^47 on are not either, but that cannot be seen from here.
 *
 * @see arch/x86/include/asm/page_64.h, TASK_SIZE_MAX
 */
export const USER_ADDRESS_END: bigint = (1n << 56n) - 4096n;

/** The fields of struct vfio_bitmap that rules look at. */
export interface BitmapRequest {
  /** Bytes of a page of the bitmap. */
  readonly pageSize: bigint;
  /** Bytes of the bitmap. */
  readonly size: bigint;
  /** User address of the bitmap, where it is known. */
  readonly address?: bigint | undefined;
}

/** The bitmap must be at a user address; whether memory is there shows at the copy. */
export function foreignBitmap(bitmap: BitmapRequest | undefined): string | undefined {
  if (bitmap?.address === undefined || bitmap.address + bitmap.size <= USER_ADDRESS_END) {
    return undefined;
  }
  return `the bitmap must lie at a user address; got ${hex(bitmap.address)}`;
}

/** A bitmap must hold a bit for each page. */
export function shortBitmap(bitmap: BitmapRequest | undefined, size: bigint): string | undefined {
  if (bitmap === undefined) return undefined;
  // The kernel counts pages of the caller's size first, so that a wrong size can look too small.
  const pages = bitmap.pageSize > 0n ? size / (bitmap.pageSize & -bitmap.pageSize) : 0n;
  const need = bitmapBytes(pages);
  if (pages > 0n && bitmap.size > 0n && bitmap.size >= need) return undefined;
  return `the bitmap needs ${need} bytes for ${pages} pages; got ${bitmap.size}`;
}

/** A bitmap may not be beyond what one call may have. */
export function largeBitmap(bitmap: BitmapRequest | undefined): string | undefined {
  if (bitmap === undefined || bitmap.size <= DIRTY_BITMAP_SIZE_MAX) return undefined;
  return `a bitmap may have ${formatSize(DIRTY_BITMAP_SIZE_MAX)}; got ${bitmap.size} bytes`;
}

/** The pages of a bitmap are the container's smallest. */
export function wrongBitmapPage(
  bitmap: BitmapRequest | undefined,
  page: bigint,
): string | undefined {
  if (bitmap === undefined || bitmap.pageSize === page) return undefined;
  const given = hex(bitmap.pageSize);
  return `the bitmap's page size must be the container's smallest, ${hex(page)}; got ${given}`;
}

/** A request that has a bitmap. */
interface WithBitmap {
  readonly size: bigint;
  readonly bitmap?: BitmapRequest | undefined;
}

/** The bitmap's fields must be there. */
export function noBitmap(bitmap: BitmapRequest | undefined): string | undefined {
  return bitmap === undefined ? "the request has no bitmap" : undefined;
}

/** The rules of a bitmap that come before all others of its request. */
export const BITMAP_RULES = [
  {
    name: "dirty.bitmap-pointer",
    source: "access_ok",
    errno: ERRNO.EINVAL,
    about: "the bitmap lies at a user address",
    test: ({ bitmap }: WithBitmap): string | undefined => foreignBitmap(bitmap),
  },
  {
    name: "dirty.bitmap-size",
    source: "verify_bitmap_size",
    errno: ERRNO.EINVAL,
    about: "the bitmap has a bit for each page, in whole words of 8 bytes",
    test: ({ bitmap, size }: WithBitmap): string | undefined => shortBitmap(bitmap, size),
  },
  {
    name: "dirty.bitmap-max",
    source: "verify_bitmap_size",
    errno: ERRNO.EINVAL,
    about: "the bitmap has at most 256 MiB",
    test: ({ bitmap }: WithBitmap): string | undefined => largeBitmap(bitmap),
  },
] as const;
