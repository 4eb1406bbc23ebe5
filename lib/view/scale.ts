/**
 * From the share of dirty pages to a colour: steps whose luminance only falls, or on dark paper only
 * rises, so that a picture without colour says the same.
 *
 * @module
 */

/** A step of the scale. */
export interface Level {
  /** The share that it reaches up to, from 0 to 1. */
  readonly upTo: number;
  /** What the legend says. */
  readonly text: string;
  /** On light paper. */
  readonly light: string;
  /** On dark paper. */
  readonly dark: string;
}

/** The steps above clean, by rising share; each is about three times the one before. */
export const LEVELS: readonly Level[] = [
  { upTo: 0.003, text: "≤ 0.3 %", light: "#fbe3a1", dark: "#41174f" },
  { upTo: 0.01, text: "≤ 1 %", light: "#fbc45f", dark: "#6c2158" },
  { upTo: 0.03, text: "≤ 3 %", light: "#f39a3d", dark: "#9b2f52" },
  { upTo: 0.1, text: "≤ 10 %", light: "#df6a2a", dark: "#c64a40" },
  { upTo: 0.3, text: "≤ 30 %", light: "#b5392a", dark: "#e5722d" },
  { upTo: 0.999_999, text: "< 100 %", light: "#7c1d32", dark: "#f4a93c" },
  { upTo: 1, text: "100 %", light: "#37092f", dark: "#fbe58c" },
];

/** Mapped and clean. */
export const CLEAN = { light: "#eeeeea", dark: "#23262b" } as const;

/** Ink for lines and text, and the paper under it. */
export const INK = { light: "#1d1f22", dark: "#e4e4e0" } as const;
export const FAINT = { light: "#5f6368", dark: "#a2a6ab" } as const;
export const PAPER = { light: "#ffffff", dark: "#15171a" } as const;

/**
 * The step of a count of pages.
 *
 * @returns 0 for clean, up to `LEVELS.length` for all; undefined where nothing is mapped.
 */
export function levelOf(dirty: number, mapped: number): number | undefined {
  if (dirty === 0) return mapped === 0 ? undefined : 0;
  // What was unmapped during the round may still have been dirty.
  const share = dirty / Math.max(dirty, mapped);
  return 1 + LEVELS.findIndex(({ upTo }) => share <= upTo);
}
