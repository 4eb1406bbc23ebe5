/**
 * The one place where numbers become text and text becomes numbers.
 *
 * @module
 */

const UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] as const;
const SHIFTS: Readonly<Record<string, bigint>> = { "": 0n, K: 10n, M: 20n, G: 30n, T: 40n, P: 50n };

/**
 * Writes an address or a length in hexadecimal.
 *
 * @param value Any integer of at least 0.
 * @returns Lower case, with 0x in front.
 */
export function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}

/**
 * Writes a length in bytes with the largest binary unit that keeps it exact enough to read.
 *
 * @param bytes A length in bytes, at least 0.
 * @returns As "64 MiB", "1.5 GiB" or "100 bytes".
 */
export function formatSize(bytes: bigint | number): string {
  const value = BigInt(bytes);
  if (value < 1024n) return value === 1n ? "1 byte" : `${value} bytes`;
  let unit = 0;
  let scale = 1024n;
  while (unit < UNITS.length - 1 && value >= scale * 1024n) {
    scale *= 1024n;
    unit += 1;
  }
  if (value % scale === 0n) return `${value / scale} ${UNITS[unit]}`;
  const tenths = (value * 10n + scale / 2n) / scale;
  // Rounded up to the next unit: "1 MiB" and not "1024 KiB".
  if (tenths === 10240n && unit < UNITS.length - 1) return `1 ${UNITS[unit + 1]}`;
  const text = tenths % 10n === 0n ? `${tenths / 10n}` : `${tenths / 10n}.${tenths % 10n}`;
  return `${text} ${UNITS[unit]}`;
}

/**
 * Reads an address or a count of bytes: "4096", "0x1000", "64K", "1.5G" is refused.
 *
 * @param text Decimal or 0x-hexadecimal digits, with an optional K, M, G, T or P (times 1024 each)
 *   and an optional "iB" or "B" behind it.
 * @returns The number of bytes.
 * @throws {RangeError} If the text is no such number, or does not fit in 64 bits.
 */
export function parseSize(text: string): bigint {
  const match = /^(0x[0-9a-f]+|[0-9]+)(?:([KMGTP])(?:iB|B)?)?$/i.exec(text.trim());
  if (match === null) {
    throw new RangeError(
      `A size is a whole number like 4096, 0x1000, 64K or 1G; got ${JSON.stringify(text)}`,
    );
  }
  const value = BigInt(match[1] ?? "0") << (SHIFTS[(match[2] ?? "").toUpperCase()] ?? 0n);
  if (value >= 1n << 64n) {
    throw new RangeError(`A size must be below 2^64; got ${JSON.stringify(text)}`);
  }
  return value;
}

/**
 * Writes a count with the right form of its noun.
 *
 * @param count How many.
 * @param noun In the singular; the plural adds "s".
 * @returns As "1 page" or "1,024 pages".
 */
export function plural(count: number | bigint, noun: string): string {
  const digits = count.toString().replace(/\B(?=(\d{3})+$)/g, ",");
  return `${digits} ${noun}${BigInt(count) === 1n ? "" : "s"}`;
}
