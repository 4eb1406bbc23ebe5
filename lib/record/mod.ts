/**
 * Rounds of dirty pages in a file that only grows: written, read, compared, and looked at for what a
 * migration would do. Nothing here opens a file.
 *
 * @module
 */

export type { Extent } from "../base/extent.ts";
export { DirtyMap, type PageRuns } from "../dirty/dirty_map.ts";
export type { DirtyLabel } from "../dirty/label.ts";
export type { DirtyRun } from "../dirty/run.ts";
export type { ViewAccount, ViewHead, ViewRound } from "../view/round.ts";
export type { RecordingEnd, RecordingHead } from "./format.ts";
export { readRecording, type RecordingEntry, type RecordingGap } from "./reader.ts";
export { RecordingWriter } from "./writer.ts";
export { labelledRuns, type RecordedRun } from "./runs.ts";
export { ConvergeBuilder, type Convergence, type Course, type MigrationPlan } from "./converge.ts";
export { comparePages, type PageCounts, RoundCompare } from "./compare.ts";
