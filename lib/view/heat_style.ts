/** The colours of a picture, as the style sheet of it. */

import { CLEAN, FAINT, INK, LEVELS, PAPER } from "./scale.ts";

type Tone = "light" | "dark";

/** A picture of its own is light; one in a page follows what its reader has chosen. */
export type Theme = "light" | "auto";

function rules(tone: Tone): string {
  const levels = LEVELS.map((level, i) => `.l${i + 1}{fill:${level[tone]}}`).join("");
  return [
    `.pp{fill:${PAPER[tone]}}.l0{fill:${CLEAN[tone]}}${levels}`,
    `.tx,.hd{fill:${INK[tone]}}.ft{fill:${FAINT[tone]}}`,
    `.ax{stroke:${FAINT[tone]}}.ed{stroke:${INK[tone]}}.br{fill:${INK[tone]}}`,
    `.pl{stroke:${PAPER[tone]}}.pd{fill:${PAPER[tone]}}`,
    `.ln{stroke:${INK[tone]}}.ar{fill:${CLEAN[tone]}}`,
  ].join("");
}

const FONT = `ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace`;
const SHAPES = `text{font:11px ${FONT}}.hd{font-size:14px;font-weight:bold}` +
  `.ax,.ed,.ln{fill:none}.ln{stroke-width:1.5}.pl{stroke-width:1.6;fill:none}`;

/** The style element. */
export function styleOf(theme: Theme): string {
  const dark = theme === "auto" ? `@media (prefers-color-scheme:dark){${rules("dark")}}` : "";
  return `<style>${SHAPES}${rules("light")}${dark}</style>`;
}
