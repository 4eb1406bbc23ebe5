/**
 * Lines of `pinscope watch`: pieces of text with a colour, put together and cut to a width.
 *
 * @module
 */

/** How to draw. */
export interface WatchLook {
  /** Colour says nothing that is not said without it. */
  readonly color: boolean;
  /** No other characters than those of ASCII. */
  readonly ascii: boolean;
}

/** Clean, and four steps up to all pages of a cell. */
export const SHADES = { plain: "·░▒▓█", ascii: ".:+*#" } as const;

// Yellow and cyan are hardly seen on white paper, and blue not on black: magenta is on both.
const COLORS = { dirty: "35", faint: "2", bold: "1", alarm: "1;31" } as const;

/** What a piece is. */
export type Tone = keyof typeof COLORS;

/** A piece of a line. */
export type Piece = readonly [text: string, tone?: Tone];

/** Cuts pieces to a width, and colours them. */
export function line(pieces: readonly Piece[], width: number, { color }: WatchLook): string {
  let room = width;
  let text = "";
  for (const [piece, tone] of pieces) {
    const part = piece.slice(0, room);
    room -= part.length;
    text += color && tone !== undefined && part !== ""
      ? `\x1b[${COLORS[tone]}m${part}\x1b[0m`
      : part;
  }
  return text.trimEnd();
}

/** Pieces on the left and on the right; where there is no room for both, the left ones are cut. */
export function sides(
  left: readonly Piece[],
  right: readonly Piece[],
  width: number,
): Piece[] {
  const length = (pieces: readonly Piece[]): number =>
    pieces.reduce((sum, [text]) => sum + text.length, 0);
  let room = width - length(right) - 1;
  if (length(left) <= room) return [...left, [" ".repeat(room - length(left) + 1)], ...right];
  const cut: Piece[] = [];
  for (const [text, tone] of left) {
    const part = text.slice(0, Math.max(0, room - 1));
    room -= part.length;
    cut.push(tone === undefined ? [part] : [part, tone]);
  }
  return [...cut, ["~ "], ...right];
}
