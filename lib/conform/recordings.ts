/** The recordings that there are. A release of the kernel is claimed only if it stands here. */

import type { Recording } from "./recording.ts";
import v6_1 from "./recording/6.1.json" with { type: "json" };
import v6_12 from "./recording/6.12.json" with { type: "json" };
import own from "./recording/own.json" with { type: "json" };
import v7 from "./recording/7.json" with { type: "json" };

/** What was recorded, the oldest kernel first. */
export const RECORDINGS: readonly Recording[] = [
  v6_1,
  v6_12,
  own,
  v7,
] as unknown as Recording[];

/** Finds a recording by the short name of its kernel, as "6.12". */
export function recordingNamed(name: string): Recording | undefined {
  return RECORDINGS.find((recording) => recording.name === name);
}
