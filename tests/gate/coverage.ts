/**
 * What share of lib the tests have run, from the lcov text that `deno coverage` writes.
 *
 * @module
 */

/** How much of something was run. */
export interface Share {
  readonly hit: number;
  readonly found: number;
}

/** One file of a report. */
export interface FileCoverage {
  readonly path: string;
  readonly lines: Share;
  readonly branches: Share;
}

/** A share in percent; of nothing, everything was run. */
export function percent({ hit, found }: Share): number {
  return found === 0 ? 100 : hit / found * 100;
}

/** Adds shares up. */
export function total(shares: readonly Share[]): Share {
  return shares.reduce(
    (sum, { hit, found }) => ({ hit: sum.hit + hit, found: sum.found + found }),
    { hit: 0, found: 0 },
  );
}

/** Reads lcov text. */
export function parseLcov(text: string): FileCoverage[] {
  const files: FileCoverage[] = [];
  for (const record of text.split("end_of_record")) {
    const path = /^SF:(.*)$/m.exec(record)?.[1];
    if (path === undefined) continue;
    const number = (key: string): number =>
      Number(new RegExp(`^${key}:(\\d+)$`, "m").exec(record)?.[1] ?? 0);
    files.push({
      path,
      lines: { hit: number("LH"), found: number("LF") },
      branches: { hit: number("BRH"), found: number("BRF") },
    });
  }
  return files;
}
