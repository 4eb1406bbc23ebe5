/**
 * Text in columns and in lines.
 *
 * @module
 */

/** How a column is aligned. */
export type Align = "left" | "right";

/** The most characters in a line. */
export const WIDTH = 79;

/**
 * Aligns rows in columns two blanks apart, without blanks at the end of a line.
 *
 * @param rows Cells by row; a row may be shorter than others.
 * @param align For each column; left where nothing is said.
 */
export function columns(
  rows: readonly (readonly string[])[],
  align: readonly Align[] = [],
): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => widths[i] = Math.max(widths[i] ?? 0, cell.length));
  }
  return rows.map((row) =>
    row.map((cell, i) => {
      const width = widths[i] ?? 0;
      return align[i] === "right" ? cell.padStart(width) : cell.padEnd(width);
    }).join("  ").trimEnd()
  );
}

/**
 * Breaks text between words into lines of at most {@link WIDTH}, or another width, if its words allow.
 *
 * @param indent Stands before every line but the first, whose own blanks are kept.
 */
export function wrap(text: string, indent: string = "", width: number = WIDTH): string[] {
  const [, own = "", rest = ""] = /^( *)(.*)$/s.exec(text) ?? [];
  const lines: string[] = [];
  let line = own;
  let isEmpty = true;
  for (const word of rest.split(" ")) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent + word;
    } else line = isEmpty ? line + word : `${line} ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}

/** A count with its noun, as "1 page" or "16,384 pages". */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** A whole number with its digits in groups, as "16,384". */
export function grouped(count: number): string {
  return count.toString().replace(/\B(?=(\d{3})+$)/g, ",");
}
