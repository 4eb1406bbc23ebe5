import type { Kinds } from "../base/argument.ts";
import type { Extent, ExtentSet } from "../base/extent.ts";
import type { Ioas } from "./ioas.ts";
import type { IommufdFile, IommufdObject, Parts } from "./object.ts";
import type { MappingWatch } from "./watch.ts";

/** How to make a page table. */
export interface HwptOptions {
  /** Whether it tracks dirty pages; devices whose IOMMU does not cannot be attached to it then. */
  readonly dirtyTracking?: boolean;
}

/** How to read dirty bits. */
export interface DirtyReadOptions {
  /** Bytes of a page of the bitmap, a power of two; by default 4096. */
  readonly pageSize?: bigint;
  /** Whether the bits are taken, so that they are not seen again; true by default. */
  readonly clear?: boolean;
}

/** Their kinds. */
export const ALLOC_OPTIONS: Kinds<HwptOptions> = { dirtyTracking: "boolean" };
/** Their kinds. */
export const READ_OPTIONS: Kinds<DirtyReadOptions> = { pageSize: "bigint", clear: "boolean" };

/** What a page table is made from. */
export interface HwptInit {
  readonly file: IommufdFile;
  readonly ioas: Ioas;
  /** For whose IOMMU it is. */
  readonly device: IommufdObject;
  /** What is mapped. */
  readonly mappings: ExtentSet<Extent>;
  /** The unit of addresses, now. */
  readonly alignment: () => bigint;
  /** Who is told of mappings. */
  readonly watches: Set<MappingWatch>;
  /** What goes before the address space. */
  readonly parts: Parts;
}
