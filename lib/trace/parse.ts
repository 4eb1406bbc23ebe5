/**
 * Traces as text, and back.
 *
 * @module
 */

import type { TraceHeader, TraceLine, TraceRecord } from "./record.ts";
import { unpackBytes } from "./bytes.ts";

/** A line of a trace that cannot be understood. */
export class TraceError extends Error {
  /** "TraceError". */
  override readonly name: string = "TraceError";

  /** Says what is wrong with a line; lines count from 1, and 0 is for what is no trace at all. */
  constructor(readonly line: number, what: string) {
    super(line === 0 ? what : `Line ${line} of the trace: ${what}`);
  }
}

/** A trace that was read. */
export interface Trace {
  /** The first line. */
  readonly header: TraceHeader;
  /** The calls, in order. */
  readonly records: readonly TraceRecord[];
  /** The last line was cut off, as a crash leaves it; it is not among the records. */
  readonly isCut: boolean;
}

/** Whether a line is a system call: all but the first are. */
export function isRecord(line: TraceLine): line is TraceRecord {
  return "seq" in line;
}

/** Writes a line of a trace, with the newline. */
export function formatLine(line: TraceLine): string {
  return `${JSON.stringify(line)}\n`;
}

type Check = (value: unknown) => boolean;

const HEX = /^0x[0-9a-f]{1,16}$/;
const KINDS: ReadonlySet<unknown> = new Set([
  "container",
  "spapr-container",
  "group",
  "device",
  "iommufd",
  "migration",
  "eventfd",
  "memory",
  "text",
  "other",
]);

const integer: Check = (value) => Number.isSafeInteger(value);
const count: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const text: Check = (value) => typeof value === "string";
const flag: Check = (value) => typeof value === "boolean";
const hexa: Check = (value) => typeof value === "string" && HEX.test(value);
const kind: Check = (value) => KINDS.has(value);
const bytes: Check = (value) => {
  if (typeof value !== "string") return false;
  try {
    unpackBytes(value);
    return true;
  } catch {
    return false;
  }
};
const listOf = (check: Check): Check => (value) => Array.isArray(value) && value.every(check);
const objectOf = (shape: Shape): Check => (value) => wrongField(value, shape) === undefined;
const texts: Check = (value) => isObject(value) && Object.values(value).every(text);

/** What a check wants, for whoever wrote a trace by hand. */
const WANTED: ReadonlyMap<Check, string> = new Map([
  [integer, "a whole number"],
  [count, "a whole number from 0"],
  [text, "a text"],
  [flag, "true or false"],
  [hexa, "a text like 0x3b71"],
  [kind, `one of ${[...KINDS].join(", ")}`],
  [bytes, "bytes, as 2000 or ff*8"],
  [texts, "an object of texts"],
]);

/** The fields of an object; those with a "?" may be missing. */
type Shape = Readonly<Record<string, Check>>;

const COMMON: Shape = { seq: count, call: text, result: integer, "error?": text, "waited?": flag };
const ON_FILE: Shape = { ...COMMON, fd: integer, kind };
const POINTER: Shape = {
  at: count,
  field: text,
  "memory?": count,
  "offset?": hexa,
  length: hexa,
  "before?": bytes,
  "after?": bytes,
};
const TRANSFER: Shape = {
  ...ON_FILE,
  length: count,
  "offset?": hexa,
  "data?": bytes,
  "text?": text,
};
const LIMIT = objectOf({ soft: hexa, hard: hexa });

const SHAPES: Readonly<Record<TraceRecord["call"], Shape>> = {
  open: { ...COMMON, path: text, flags: integer, kind, "devices?": listOf(text) },
  close: ON_FILE,
  ioctl: {
    ...ON_FILE,
    request: hexa,
    name: text,
    "value?": hexa,
    "in?": bytes,
    "out?": bytes,
    "fields?": texts,
    "wrote?": texts,
    "pointers?": listOf(objectOf(POINTER)),
    "fds?": listOf(objectOf({ at: count, fd: integer, "made?": kind })),
    "made?": kind,
  },
  read: TRANSFER,
  write: TRANSFER,
  pread: { ...TRANSFER, offset: hexa },
  pwrite: { ...TRANSFER, offset: hexa },
  readlink: { ...COMMON, path: text, "target?": text },
  list: { ...COMMON, path: text, "names?": listOf(text) },
  mmap: {
    ...ON_FILE,
    length: hexa,
    protection: integer,
    flags: integer,
    offset: hexa,
    "memory?": count,
    "address?": hexa,
  },
  address: { ...COMMON, memory: count, address: hexa, length: hexa },
  munmap: { ...COMMON, address: hexa, length: hexa, "memory?": count, "offset?": hexa },
  memfd: { ...COMMON, name: text, flags: integer },
  ftruncate: { ...ON_FILE, length: hexa },
  eventfd: { ...COMMON, initial: count, flags: integer },
  poll: {
    ...COMMON,
    requests: listOf(objectOf({ fd: integer, events: integer })),
    timeout: integer,
    "events?": listOf(integer),
  },
  prlimit: { ...COMMON, pid: count, resource: count, "next?": LIMIT, "old?": LIMIT },
  sameFile: { ...COMMON, pids: listOf(integer), fds: listOf(integer) },
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The first field that is not as it should be, or undefined. */
function wrongField(value: unknown, shape: Shape): string | undefined {
  if (!isObject(value)) return "object";
  return Object.entries(shape).map(([key, check]) => {
    const name = key.replace("?", "");
    if (value[name] === undefined) return key.endsWith("?") ? undefined : name;
    return check(value[name]) ? undefined : name;
  }).find((name) => name !== undefined);
}

function shapeOf(call: unknown): Shape | undefined {
  if (typeof call !== "string" || !Object.hasOwn(SHAPES, call)) return undefined;
  return SHAPES[call as TraceRecord["call"]];
}

/** Reads a line; the first of a trace is its header. */
function parseLine(text: string, number: number): TraceLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TraceError(number, `no JSON: ${error instanceof Error ? error.message : error}`);
  }
  if (!isObject(value)) throw new TraceError(number, "no JSON object");
  if (value["pinscope"] !== undefined) return checkHeader(value);
  const shape = shapeOf(value["call"]);
  if (shape === undefined) {
    throw new TraceError(
      number,
      `"call" is one of ${Object.keys(SHAPES).join(", ")}; got ${JSON.stringify(value["call"])}`,
    );
  }
  const wrong = wrongField(value, shape);
  if (wrong === undefined) return value as unknown as TraceRecord;
  if (value[wrong] === undefined) throw new TraceError(number, `${value["call"]} lacks "${wrong}"`);
  const check = shape[wrong] ?? shape[`${wrong}?`];
  const wanted = (check && WANTED.get(check)) ?? "in the form that --trace writes";
  const got = JSON.stringify(value[wrong]);
  throw new TraceError(number, `"${wrong}" of ${value["call"]} should be ${wanted}; got ${got}`);
}

/**
 * Reads one line of a trace.
 *
 * @param number Which line it is, from 1.
 * @returns Undefined for the header.
 * @throws {TraceError} If it cannot be understood.
 */
export function parseRecord(text: string, number: number): TraceRecord | undefined {
  const line = parseLine(text, number);
  return isRecord(line) ? line : undefined;
}

function checkHeader(value: Readonly<Record<string, unknown>>): TraceHeader {
  const { pinscope, version, kernel } = value;
  if (pinscope !== "trace") {
    throw new TraceError(1, 'a trace begins with {"pinscope":"trace","version":1,...}');
  }
  if (version !== 1) throw new TraceError(1, `version 1 is understood; got ${version}`);
  if (typeof kernel !== "string") throw new TraceError(1, '"kernel" is missing');
  return value as unknown as TraceHeader;
}

/**
 * Reads a trace.
 *
 * @param text The content of a trace file.
 * @returns Header and records. A last line without its newline that is no JSON is left out: a program
 *   that was killed leaves one.
 * @throws {TraceError} For a line that cannot be understood, with its number.
 */
export function parseTrace(text: string): Trace {
  const lines = text.split("\n");
  const rest = lines.pop() ?? "";
  const isCut = rest !== "" && !isJson(rest);
  if (rest !== "" && !isCut) lines.push(rest);
  const first = lines[0] ?? rest;
  if (first === "") throw new TraceError(1, "the trace is empty");
  if (!isJson(first)) {
    throw new TraceError(0, "this is no trace (line 1 is not JSON); --trace FILE writes one");
  }
  const [header, ...records] = lines.map((line, i) => parseLine(line, i + 1));
  if (header === undefined || isRecord(header)) {
    throw new TraceError(1, 'a trace begins with {"pinscope":"trace","version":1,...}');
  }
  return { header, records: records.filter(isRecord), isCut };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
