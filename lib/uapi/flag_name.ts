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

/**
 * Reads a flag word that {@link flagNames} wrote.
 *
 * @param text Names and numbers joined by `|`, as "READ|0x10".
 * @param names The bits by name.
 * @returns The word.
 * @throws {TypeError} If a part is neither a name nor a number.
 */
export function parseFlags(text: string, names: NameTable): bigint {
  return text.split("|").reduce((word, part) => word | parseNamed(part.trim(), names), 0n);
}

/**
 * Reads a value that {@link valueName} wrote: "RUNNING (2)", "RUNNING" or "2".
 *
 * @param text A name, a number, or both.
 * @param names The values by name.
 * @returns The number.
 * @throws {TypeError} If it is neither.
 */
export function parseNamed(text: string, names: NameTable): bigint {
  const word = text.replace(/ \(\d+\)$/, "");
  const named = Object.hasOwn(names, word) ? names[word] : undefined;
  return named === undefined ? parseInteger(word, Object.keys(names)) : BigInt(named);
}

/**
 * Reads a whole number, decimal or hexadecimal, that may be negative.
 *
 * @param text As "4096", "0x1000" or "-1".
 * @param names What else could stand here, for the message.
 * @throws {TypeError} If it is no such number.
 */
export function parseInteger(text: string, names: readonly string[] = []): bigint {
  const match = /^(-?)(0x[0-9a-f]+|\d+)$/i.exec(text);
  if (match === null) {
    const others = names.length === 0 ? "" : `, or of ${names.join(", ")}`;
    throw new TypeError(
      `A value is a whole number like 4096 or 0x1000${others}; got ${JSON.stringify(text)}`,
    );
  }
  const value = BigInt(match[2] ?? "0");
  return match[1] === "-" ? -value : value;
}

/** JavaScript's own bit operators give negative numbers for words with the top bit set. */
function toUnsigned(value: number | bigint): bigint {
  return typeof value === "bigint" ? BigInt.asUintN(64, value) : BigInt(value >>> 0);
}
