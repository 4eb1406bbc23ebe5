import type { Extent } from "../base/extent.ts";
import type { DirtyLabel } from "./label.ts";

/** Memory that a bitmap is read into: where it lies, and how much the kernel may fill. */
export interface BitmapTarget {
  /** User address of the first word. */
  readonly address: bigint;
  /** Bytes at the address that belong to the bitmap, without the slack behind them. */
  readonly size: number;
}

/** An ioctl that reads dirty bits. */
export interface ReadRequest {
  /** The file. */
  readonly fd: number;
  /** The request's number. */
  readonly request: number;
  /** The struct; it is reused by the next request. */
  readonly argument: Uint8Array;
}

/**
 * Something that tells which pages are dirty: type1's bitmap, an IOMMU's dirty bits, a device's own
 * log. The tracker plans, zeroes, masks and labels; a source only asks the kernel.
 */
export interface DirtySource {
  /** What it is called in results. */
  readonly name: string;
  /** Bytes of a page of the bitmap. */
  readonly pageSize: bigint;
  /** Most bytes of bitmap in one read. */
  readonly maxBitmapBytes: number;
  /** Whether a read may hold addresses between mappings, which it then tells nothing of. */
  readonly spansGaps: boolean;
  /** Begins to track. */
  start(): void;
  /** Ends tracking; what was not read is lost. */
  stop(): void;
  /**
   * Prepares the request that reads, and clears, the bits of a range: bit 0 is its first page. The
   * target is zeroed before it is made.
   */
  reading(range: Extent, target: BitmapTarget): ReadRequest;
  /**
   * Prepares a request that reads the same bits and leaves them in the kernel; missing where the
   * kernel has none.
   */
  looking?(range: Extent, target: BitmapTarget): ReadRequest;
  /**
   * Judges what such a request returned.
   *
   * @throws {VfioError} The bits of the range are then to be taken as all set.
   */
  checkRead(result: number, range: Extent): void;
  /** What the bits of a mapping mean when it is read now. */
  label(mapping: Extent): DirtyLabel;
  /**
   * Learns that a mapped page was clean in a read whose meaning was unknown.
   *
   * @returns What the read means after that.
   */
  sawClean(mappings: readonly Extent[]): DirtyLabel;
}
