/** What labels of dirty pages mean, in a line. */

import type { LabelledRun } from "../mod.ts";

/** By label. */
export const MEANING: Readonly<Record<LabelledRun["label"], string>> = {
  "all-mapped": "every mapped page, by rule: nothing is known about writes",
  "pinned-scope": "pages that a driver has or had pinned, or wrote: maybe written",
  written: "pages that the device wrote",
  unknown: "every mapped page or only pinned ones: nothing tells which",
  incomplete: "after an error: every mapped page, because bits may be lost",
};
