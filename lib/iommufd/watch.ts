import type { Extent } from "../base/extent.ts";

/** Something that follows what an address space has mapped, as a tracker of a page table does. */
export interface MappingWatch {
  /**
   * Refuses a mapping that it could not follow, before it is made.
   *
   * @param range The address is missing where the kernel chooses one.
   */
  allow(range: Pick<Extent, "size"> & Partial<Extent>): void;
  /** Learns of a mapping that was made. */
  mapped(mapping: Extent): void;
  /**
   * Learns that mappings are about to go.
   *
   * @returns What is to be done once they are gone; if they stay, nothing.
   */
  leaving(mappings: readonly Extent[]): () => void;
}
