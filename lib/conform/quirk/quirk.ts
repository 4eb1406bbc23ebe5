/** What a quirk is: something that a kernel does and that a script has to know. */

import type { Bench } from "../bench.ts";
import type { Need } from "../check.ts";
import type { GuardedArea } from "./area.ts";

/** What a probe has found. */
export interface Finding {
  /** Whether the kernel has the quirk. */
  readonly present: boolean;
  /** What was seen, in words. */
  readonly evidence: string;
}

/** One quirk. */
export interface Quirk {
  /** A short name, as "type1.stale". */
  readonly name: string;
  /** What the kernel does, in a sentence without an end. */
  readonly about: string;
  /** The kernel's file and function. */
  readonly source: string;
  /** What must be there. */
  readonly needs: readonly Need[];
  /** Asks the kernel. What it takes it gives back. */
  readonly probe: (bench: Bench, area: GuardedArea) => Finding;
}
