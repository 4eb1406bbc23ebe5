/**
 * Writes flag words and numbered values by name.
 *
 * @module
 */

/** Names and the bits, or the value, they stand for. */
export type NameTable = Readonly<Record<string, number>>;

/**
 * Writes a flag word by the names of its bits.
 *
 * @example The flags of a mapping
 * ```ts
 * import { flagNames, VFIO_DMA_MAP_FLAG_READ, VFIO_DMA_MAP_FLAG_WRITE } from "@pinscope/vfio/uapi";
 *
 * const names = { READ: VFIO_DMA_MAP_FLAG_READ, WRITE: VFIO_DMA_MAP_FLAG_WRITE };
 * if (flagNames(3, names) !== "READ|WRITE") throw new Error("both bits have a name");
 * if (flagNames(0x12, names) !== "WRITE|0x10") throw new Error("the rest is a number");
 * if (flagNames(0, names) !== "0") throw new Error("no bit is set");
 * ```
 *
 * @param value The flag word, of 32 or 64 bits.
 * @param names The bits by name.
 * @returns Names joined by `|`, what has no name in hexadecimal, "0" for none.
 */
export function flagNames(value: number | bigint, names: NameTable): string {
  let rest = toUnsigned(value);
  const words: string[] = [];
  for (const [name, bits] of Object.entries(names)) {
    const mask = BigInt(bits);
    if (mask !== 0n && (rest & mask) === mask) {
      words.push(name);
      rest &= ~mask;
    }
  }
  if (rest !== 0n || words.length === 0) words.push(rest === 0n ? "0" : `0x${rest.toString(16)}`);
  return words.join("|");
}

/**
 * Writes a numbered value by name, as "RUNNING (2)".
 *
 * @param value The number.
 * @param names The values by name; of names with the same value the first counts.
 * @returns The name and the number, or the number alone.
 */
export function valueName(value: number | bigint, names: NameTable): string {
  const found = Object.entries(names).find(([, number]) => Number(value) === number);
  return found === undefined ? `${value}` : `${found[0]} (${value})`;
}

/** JavaScript's own bit operators give negative numbers for words with the top bit set. */
function toUnsigned(value: number | bigint): bigint {
  return typeof value === "bigint" ? BigInt.asUintN(64, value) : BigInt(value >>> 0);
}
