/**
 * What the bits of a window mean:
 *
 * - `all-mapped`: every mapped page, by rule; nothing is known about writes
 * - `pinned-scope`: pages that a driver has or had pinned, or wrote for the device: maybe written
 * - `written`: pages that the device wrote
 * - `unknown`: `all-mapped` or `pinned-scope`, and nothing tells which
 * - `incomplete`: after an error; every mapped page is reported, because bits may be lost
 */
export type DirtyLabel = "all-mapped" | "pinned-scope" | "written" | "unknown" | "incomplete";
