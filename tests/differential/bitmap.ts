/** How much of a bitmap's memory the kernel may write, and how much of it is looked at. */
import type { Bitmap } from "./operation.ts";

/** Bytes behind the bitmap that must stay as they were. */
const GUARD = 64;

/** Bytes that the kernel may write for a range: whole words of 64 pages. */
export function neededBytes(size: bigint): bigint {
  return ((size + 4095n) / 4096n + 63n) / 64n * 8n;
}

/** Bytes of the bitmap's memory that are prepared and compared: all that may be written, and a rest. */
export function watchedBytes(bitmap: Bitmap, need: bigint): number {
  const said = bitmap.size > need && bitmap.size < 4096n ? bitmap.size : need;
  return said > 1n << 20n ? 4096 : Number(said) + GUARD;
}
