/**
 * Which request `pinscope decode` is asked for, and whether its operands belong to it.
 *
 * @module
 */

import { nearest } from "../lib/base/nearest.ts";
import {
  encodeRequest,
  FD_KINDS,
  type FdKind,
  requestName,
  requestNumber,
} from "../lib/uapi/mod.ts";
import { hex } from "../mod.ts";
import { UsageError } from "./parse.ts";
import { meantWord, usage } from "./values.ts";

/** What the descriptor and the request are, and what stands behind them. */
export interface Asked {
  readonly kind: FdKind;
  readonly request: number;
  readonly name: string;
  readonly rest: readonly string[];
}

const isKnown = (kind: FdKind, request: number): boolean =>
  !requestName(kind, request).startsWith("0x");

// Every number of VFIO and iommufd is ';' and a byte.
const NUMBERS = Array.from({ length: 0x100 }, (_, low) => 0x3b00 | low);

const namesOf = (kind: FdKind): string[] =>
  NUMBERS.filter((number) => isKnown(kind, number)).map((number) => requestName(kind, number));

/**
 * Reads KIND and REQUEST.
 *
 * @throws {UsageError} If there is no such kind, or the kind has no such request.
 */
export function asked([kind = "", text, ...rest]: readonly string[]): Asked {
  const known = FD_KINDS.find((one) => one === kind);
  if (known === undefined) {
    const near = meantWord(kind, FD_KINDS);
    throw new UsageError(
      `KIND is one of ${FD_KINDS.join(", ")}; got ${JSON.stringify(kind)}${near}`,
    );
  }
  if (text === undefined) throw new UsageError(`decode ${kind} needs a REQUEST`);
  const request = numberOf(known, text);
  if (!isKnown(known, request)) {
    const others = FD_KINDS.filter((one) => isKnown(one, request)).map((one) =>
      `${requestName(one, request)} of ${one}`
    );
    const hint = others.length === 0 ? "" : `; the number is ${others.join(", ")}`;
    throw new UsageError(`A ${known} has no request ${hex(request)}${hint}`);
  }
  return { kind: known, request, name: requestName(known, request), rest };
}

function numberOf(kind: FdKind, text: string): number {
  const names = namesOf(kind);
  if (!names.includes(text) && /^[a-z_]/i.test(text)) {
    const owners = FD_KINDS.filter((one) => namesOf(one).includes(text));
    const near = nearest(text.toUpperCase(), names);
    const hint = owners.length > 0
      ? `: it is for ${owners.join(", ")}`
      : near === undefined
      ? ""
      : `; did you mean ${near}?`;
    throw new UsageError(`A ${kind} has no request ${text}${hint}`);
  }
  return usage(() => requestNumber(kind, text));
}

/**
 * Checks that an argument is of the form that the request takes.
 *
 * @param argument Bytes or a value.
 * @throws {UsageError} If it takes another form, or nothing.
 */
export function checkForm(
  { kind, request, name, rest }: Asked,
  argument: Uint8Array | number | undefined,
): void {
  if (argument === undefined) return;
  const { argument: takes } = encodeRequest(kind, request, {});
  const got = `got ${rest.join(" ")}`;
  if (takes === undefined) throw new UsageError(`${name} takes no argument; ${got}`);
  if (typeof takes === "bigint" && typeof argument !== "number") {
    throw new UsageError(`${name} takes one value, as 0x3; ${got}`);
  }
  if (typeof takes !== "bigint" && typeof argument === "number") {
    throw new UsageError(`${name} takes bytes, without 0x; ${got}`);
  }
}

/**
 * Counts the bytes that belong to no field, nor to the length that the struct itself states.
 *
 * @param fields What was read of them.
 */
export function leftOver(
  { kind, request }: Asked,
  bytes: Uint8Array,
  fields: Readonly<Record<string, string>>,
): number {
  const [first] = Object.keys(fields);
  const stated = first === "argsz" || first === "size" ? Number(fields[first]) : 0;
  try {
    const { argument } = encodeRequest(kind, request, fields);
    const used = argument instanceof Uint8Array ? argument.length : 0;
    return Math.max(0, bytes.length - Math.max(used, stated));
  } catch (error) {
    // A long list is shown in part: how long it was cannot be told from its text.
    if (error instanceof TypeError || error instanceof RangeError) return 0;
    throw error;
  }
}
