import type { Kinds } from "../base/argument.ts";
import type { IoasAccess } from "./mapping.ts";

/** How to map. */
export interface IoasMapOptions {
  /** The address that devices use; by default the kernel chooses one. */
  readonly iova?: bigint;
  /** What devices may do; both by default, of a copy what its source allows. */
  readonly access?: IoasAccess;
  /** Where in the memory, the file or the source to begin, in bytes; 0 by default. */
  readonly offset?: bigint;
  /** How much to map, in bytes; all from the offset on by default. */
  readonly size?: bigint;
}

/** How to map memory of a file: its size cannot be asked for, so it is given. */
export interface IoasMapFileOptions extends IoasMapOptions {
  /** How much to map, in bytes. */
  readonly size: bigint;
}

/** The kinds of their values. */
export const MAP_OPTIONS: Kinds<IoasMapOptions> = {
  iova: "bigint",
  access: ["r", "w", "rw"],
  offset: "bigint",
  size: "bigint",
};
