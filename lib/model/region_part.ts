import type { Process } from "./process.ts";

/** A region of a modelled device. */
export interface RegionPart {
  /** Bytes. */
  readonly size: number;
  /** Whether mmap takes it. */
  readonly canMap: boolean;
  /** What kind of region a driver's own is: vendor type and subtype. */
  readonly type?: readonly [number, number];
  /** Reads from an offset inside: bytes, or -errno. */
  read(offset: number, into: Uint8Array): number;
  /** Writes from an offset inside: bytes, or -errno. */
  write(offset: number, from: Uint8Array, current: Process): number;
  /** The first bytes of the region, for a mapping of it. */
  snapshot?(offset: number, into: Uint8Array): void;
}
