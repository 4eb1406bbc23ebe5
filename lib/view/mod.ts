/**
 * Pictures and pages of dirty pages, as text: nothing here reads or writes a file.
 *
 * @module
 */

export type { Extent } from "../base/extent.ts";
export { DirtyMap, type PageRuns } from "../dirty/dirty_map.ts";
export type { DirtyLabel } from "../dirty/label.ts";
export type { DirtyRun } from "../dirty/run.ts";
export { HeatBuilder, type HeatColumn, type HeatData, type HeatPlan } from "./heat_data.ts";
export { type HeatmapOptions, renderHeatmap } from "./heat.ts";
export type { Theme } from "./heat_style.ts";
export { renderReport } from "./report.ts";
export {
  ReportBuilder,
  type ReportData,
  type ReportMapping,
  type ReportRun,
} from "./report_data.ts";
export type { RatePoint } from "./chart.ts";
export type { HeatSection } from "./section.ts";
export type { ViewAccount, ViewHead, ViewRound } from "./round.ts";
