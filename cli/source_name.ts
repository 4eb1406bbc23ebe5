/**
 * What the sources of dirty pages are called.
 *
 * @module
 */

/** The sources by their names, the most exact one first. */
export const SOURCES = ["log", "hwpt", "type1"] as const;

/** A name of {@link SOURCES}. */
export type SourceName = typeof SOURCES[number];
