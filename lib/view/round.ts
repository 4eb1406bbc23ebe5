import type { Extent } from "../base/extent.ts";
import type { DirtyMap } from "../dirty/dirty_map.ts";
import type { DirtyLabel } from "../dirty/label.ts";

/** What rounds were measured on: what a picture or a report says about itself. */
export interface ViewHead {
  /** The devices, by name. */
  readonly devices: readonly string[];
  /** Where the bits come from, as "type1". */
  readonly source: string;
  /** Bytes of a page of the bitmap. */
  readonly pageSize: bigint;
  /** The command line that measured, as it was given. */
  readonly command?: string | undefined;
  /** The release of the kernel. */
  readonly kernel?: string | undefined;
  /** When the rounds were begun, as text. */
  readonly started?: string | undefined;
}

/** What a process had locked at the end of a round. */
export interface ViewAccount {
  /** VmLck, in bytes. */
  readonly locked: bigint;
  /** VmPin, in bytes. */
  readonly pinned: bigint;
  /** RLIMIT_MEMLOCK in bytes; undefined where nothing limits it. */
  readonly limit: bigint | undefined;
  /** Mappings that the container may still make, where known. */
  readonly dmaAvailable: number | undefined;
}

/** One round of reading everything, live or from a recording. */
export interface ViewRound {
  /** Counts from 1. */
  readonly round: number;
  /** Milliseconds from the beginning of the first round to the end of this one. */
  readonly at: number;
  /** Milliseconds that this round took. */
  readonly elapsed: number;
  /** The dirty pages. */
  readonly dirty: DirtyMap;
  /** What is pinned, where that can be told apart. */
  readonly pinned?: DirtyMap | undefined;
  /** What the bits mean; more than one where mappings differ. */
  readonly labels: readonly DirtyLabel[];
  /** What was mapped, by rising address. */
  readonly mappings: readonly Extent[];
  /** The windows that were read, each with what its bits mean, where that is known. */
  readonly windows?: readonly (Extent & { readonly label: DirtyLabel })[] | undefined;
  /** Milliseconds that the reads took in the kernel. */
  readonly readTime: number;
  /** The accounts, where they were taken. */
  readonly account?: ViewAccount | undefined;
}
