/** What labels of dirty pages mean, in a line. */

import type { LabelledRun } from "../mod.ts";

/** By label. */
export const MEANING: Readonly<Record<LabelledRun["label"], string>> = {
  "all-mapped": "every mapped page, by rule: nothing is known about writes",
  "pinned-scope": "pages that a driver has or had pinned, or wrote: maybe written",
  written: "pages that the device wrote",
  unknown: "all-mapped or pinned-scope, and nothing tells which",
  incomplete: "every mapped page, after an error that may have lost bits",
};
