/**
 * What differs between a recorded call and the same call made again.
 *
 * @module
 */

import { errnoName } from "../base/errno.ts";
import { plural } from "../base/format.ts";
import { toHex } from "./bytes.ts";
import { fieldsOf } from "./ioctl.ts";
import type { FileKind } from "./record.ts";

/** One thing that differs. */
export interface Difference {
  /** "result", the name of a field, "byte 40", or "bits of bitmap.data". */
  readonly what: string;
  /** What the trace says. */
  readonly wanted: string;
  /** What came now. */
  readonly got: string;
}

const MOST_DIFFERENCES = 16;
const MOST_RUNS = 6;

/** A result as text. */
export function resultText(result: number): string {
  return result < 0 ? errnoName(-result) : `${result}`;
}

/**
 * Compares results.
 *
 * @param byValue False for one that says only that it went well, as a new descriptor's number.
 */
export function compareResults(wanted: number, got: number, byValue: boolean): Difference[] {
  if (wanted === got || (!byValue && wanted >= 0 && got >= 0)) return [];
  const shown = (result: number): string => byValue || result < 0 ? resultText(result) : "success";
  return [{ what: "result", wanted: shown(wanted), got: shown(got) }];
}

/** Compares the bytes of an argument, by its fields where they have names. */
export function compareArguments(
  kind: FileKind,
  request: number,
  wanted: Uint8Array,
  got: Uint8Array,
): Difference[] {
  const [a, b] = [fieldsOf(kind, request, wanted), fieldsOf(kind, request, got)];
  const named = Object.keys({ ...a, ...b }).filter((field) => a[field] !== b[field])
    .map((what) => ({ what, wanted: a[what] ?? "nothing", got: b[what] ?? "nothing" }));
  const plain = compareBytes(wanted, got);
  // A field's text tells more than its bytes; a chain behind the struct has bytes only.
  return named.length > 0 ? named : plain;
}

/** Compares bytes that have no names, in words of eight. */
export function compareBytes(wanted: Uint8Array, got: Uint8Array): Difference[] {
  const differences: Difference[] = [];
  for (let at = 0; at < Math.max(wanted.length, got.length); at += 8) {
    const [a, b] = [toHex(wanted.subarray(at, at + 8)), toHex(got.subarray(at, at + 8))];
    if (a !== b) differences.push({ what: `byte ${at}`, wanted: a, got: b });
    if (differences.length === MOST_DIFFERENCES) break;
  }
  return differences;
}

/** Compares bitmaps: the bits that only one of them has. */
export function compareBitmaps(field: string, wanted: Uint8Array, got: Uint8Array): Difference[] {
  const missing = runsOf(wanted, got);
  const extra = runsOf(got, wanted);
  if (missing.count + extra.count === 0) return [];
  const text = ({ count, runs }: { count: number; runs: readonly string[] }): string =>
    count === 0
      ? "no other"
      : `${plural(count, "bit")} more: ${runs.slice(0, MOST_RUNS).join(", ")}${
        runs.length > MOST_RUNS ? ", ..." : ""
      }`;
  return [{ what: `bits of ${field}`, wanted: text(missing), got: text(extra) }];
}

/** The bits of `a` that `b` does not have. */
function runsOf(a: Uint8Array, b: Uint8Array): { count: number; runs: readonly string[] } {
  const runs: [number, number][] = [];
  let count = 0;
  a.forEach((value, i) => {
    const rest = value & ~(b[i] ?? 0);
    if (rest === 0) return;
    for (let bit = 0; bit < 8; bit += 1) {
      if ((rest >> bit & 1) === 0) continue;
      const at = i * 8 + bit;
      count += 1;
      const last = runs.at(-1);
      if (last?.[1] === at - 1) last[1] = at;
      else if (runs.length <= MOST_RUNS) runs.push([at, at]);
    }
  });
  return { count, runs: runs.map(([from, to]) => from === to ? `${from}` : `${from}..${to}`) };
}
