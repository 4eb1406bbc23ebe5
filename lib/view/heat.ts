import { checkOptions, type Kinds } from "../base/argument.ts";
import { formatSize } from "../base/format.ts";
import type { DirtyLabel } from "../dirty/label.ts";
import { flatten, type HeatData, missingRounds } from "./heat_data.ts";
import { addressAxis, hitBars, legend, timeAxis } from "./heat_axis.ts";
import { labelLane, type LabelSpan, patternDefs, patternOf, spansOf } from "./heat_label.ts";
import { CHAR, type HeatLayout, layOut, LINE } from "./heat_layout.ts";
import { styleOf, type Theme } from "./heat_style.ts";
import { levelOf, LEVELS } from "./scale.ts";
import { brokenLines, duration, escapeText, grouped } from "./text.ts";

/** How to draw a heat map. */
export interface HeatmapOptions {
  /** The first line; "dirty pages" by default. */
  readonly title?: string;
  /** Below it: what was measured, on which kernel; broken between words into lines. */
  readonly subtitle?: string;
  /** Address against time, which is the default, or address alone: all rounds as one. */
  readonly kind?: "time" | "address";
  /** Light paper, which is the default, or as the reader of a page has chosen. */
  readonly theme?: Theme;
  /** Begins the names in the file: to be given where a page holds several pictures. */
  readonly id?: string;
}

const OPTIONS: Kinds<HeatmapOptions> = {
  title: "string",
  subtitle: "string",
  kind: ["time", "address"],
  theme: ["light", "auto"],
  id: "string",
};
/** Width of the one column of address alone. */
const WIDE = 96;

/** The data and the place of each cell, as they are drawn. */
export function placeHeatmap(
  data: HeatData,
  options: HeatmapOptions = {},
): {
  readonly shown: HeatData;
  readonly layout: HeatLayout;
  /** The lines below the title. */
  readonly texts: readonly string[];
} {
  const { kind = "time", subtitle } = options;
  const shown = kind === "address" ? flatten(data) : data;
  const wide = kind === "address" ? WIDE : undefined;
  // How wide it is does not depend on the lines.
  const { width } = layOut(shown, 0, wide);
  const texts = [subtitle, factsOf(shown)]
    .flatMap((text) => text === undefined ? [] : brokenLines(text, roomOf(width, CHAR)));
  return { shown, texts, layout: layOut(shown, 1 + texts.length, wide) };
}

/** How many characters have room beside each other. */
const roomOf = (width: number, size: number): number => Math.floor((width - 28) / size);

/**
 * Draws dirty pages as an SVG file: address against time, or address alone. The same data and options
 * give the same text, byte by byte.
 *
 * Darker means more pages, in steps of luminance, so that it can be read without colour. Where a label
 * says that nothing is known about writes, lines lie over the cells, and the label stands below.
 *
 * @param data What a `HeatBuilder` has counted.
 * @param options Title, kind and colours.
 * @returns The text of the file.
 * @throws {TypeError} If an option is not known, or of another kind.
 */
export function renderHeatmap(data: HeatData, options?: HeatmapOptions): string {
  const given: HeatmapOptions = checkOptions(options, OPTIONS);
  const { title = "dirty pages", kind = "time", theme = "light" } = given;
  const id = (given.id ?? "heat").replace(/[^A-Za-z0-9_-]/g, "_");
  const { shown, layout, texts } = placeHeatmap(data, given);
  const { width, height } = layout;
  const spans = spansOf(shown.columns);
  // All rounds as one: where they mean different things the text says so, for lines would hide the rest.
  const marked = kind === "address" && (spans[0]?.labels.length ?? 0) > 1 ? [] : spans;
  const fit = (text: string, size: number): string => {
    const most = roomOf(width, size);
    return escapeText(text.length > most ? `${text.slice(0, most - 1)}…` : text);
  };
  const [first, end] = [shown.columns[0], shown.columns.at(-1)];
  const about = first === undefined || end === undefined
    ? "no rounds"
    : `rounds ${first.first} to ${end.last}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ` +
    `width="${width}" height="${height}" role="img" aria-labelledby="${id}-title ${id}-desc">`,
    `<title id="${id}-title">${escapeText(title)}</title>`,
    `<desc id="${id}-desc">${escapeText(`${factsOf(shown)}; ${about}`)}</desc>`,
    styleOf(theme),
    `<defs>${patternDefs(id)}</defs>`,
    `<rect class="pp" width="${width}" height="${height}"/>`,
    `<text class="hd" x="14" y="22">${fit(title, 8.5)}</text>`,
    ...texts.map((text, i) =>
      `<text class="ft" x="14" y="${22 + (i + 1) * LINE}">${fit(text, CHAR)}</text>`
    ),
    `<g class="cells" shape-rendering="crispEdges">`,
    ...cellPaths(shown, layout),
    `</g>`,
    ...patternRects(marked, { data: shown, layout, id }),
    addressAxis(shown, layout),
    kind === "address" ? hitBars(shown, layout) : timeAxis(shown, layout),
    kind === "address" ? "" : labelLane(spans, layout),
    legend(shown, layout, patternTexts(marked.map(({ labels }) => labels)), id),
    `</svg>`,
  ].filter((part) => part !== "").join("\n") + "\n";
}

function factsOf(data: HeatData): string {
  const { pageSize, sections, columns } = data;
  const labels = [...new Set(columns.flatMap(({ labels }) => labels))];
  const rounds = columns.reduce((sum, column) => sum + column.rounds, 0);
  const [first, end] = [columns[0], columns.at(-1)];
  const time = first === undefined || end === undefined
    ? ""
    : ` in ${duration(end.to - first.from)}`;
  const parts = sections.length === 1 ? "1 range" : `${grouped(sections.length)} ranges`;
  return `page ${formatSize(pageSize)}; ${parts}; ${grouped(rounds)} ` +
    `${rounds === 1 ? "round" : "rounds"}${time}${missingRounds(columns)}; ` +
    `label: ${labels.join(", ") || "none"}`;
}

/** A path for each step; cells beside each other in a row are one rectangle. */
function cellPaths(data: HeatData, layout: HeatLayout): string[] {
  const { tops, left, columnWidth, rowHeight } = layout;
  const paths = Array.from({ length: LEVELS.length + 1 }, () => "");
  for (const [row, top] of tops.entries()) {
    let start = 0;
    let level: number | undefined;
    for (let i = 0; i <= data.columns.length; i += 1) {
      const column = data.columns[i];
      const next = column === undefined
        ? undefined
        : levelOf(column.dirty[row]!, column.mapped[row]!);
      if (i > 0 && next === level && column !== undefined) continue;
      if (level !== undefined) {
        const x = left + start * columnWidth;
        paths[level] += `M${x} ${top}h${(i - start) * columnWidth}v${rowHeight}H${x}z`;
      }
      [start, level] = [i, next];
    }
  }
  return paths.map((d, i) => d === "" ? "" : `<path class="l${i}" d="${d}"/>`);
}

/** Lines over the mapped cells of columns whose label says that nothing is known. */
function patternRects(
  spans: readonly LabelSpan[],
  { data, layout, id }: {
    readonly data: HeatData;
    readonly layout: HeatLayout;
    readonly id: string;
  },
): string[] {
  const { tops, left, columnWidth, rowHeight } = layout;
  return spans.flatMap(({ labels, first, end }) => {
    const pattern = patternOf(labels);
    if (pattern === undefined) return [];
    const rects = data.sections.map((section) =>
      `<rect fill="url(#${id}-${pattern})" x="${left + first * columnWidth}" ` +
      `y="${tops[section.first]}" width="${(end - first) * columnWidth}" ` +
      `height="${section.cells * rowHeight}"/>`
    );
    return rects;
  });
}

const TEXTS: Readonly<Record<string, string>> = {
  hatched: "all-mapped: by rule, not by writes",
  dotted: "unknown: by rule or not",
  crossed: "incomplete: after an error",
};

/** The patterns that occur, with their words. */
function patternTexts(all: readonly (readonly DirtyLabel[])[]): [string, string][] {
  const names = new Set(all.map(patternOf).filter((name) => name !== undefined));
  return [...names].sort().map((name) => [name, TEXTS[name]!]);
}
