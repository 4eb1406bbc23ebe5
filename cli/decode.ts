/**
 * `pinscope decode`: requests by their fields, and back.
 *
 * @module
 */

import { parseRecord, StraceReader, TraceError, unpackBytes } from "../lib/trace/mod.ts";
import { describeRequest, encodeRequest } from "../lib/uapi/mod.ts";
import { hex } from "../mod.ts";
import type { Context } from "./context.ts";
import { asked, checkForm, leftOver } from "./decode_request.ts";
import { InputError, linesOf } from "./input.ts";
import type { Json } from "./output.ts";
import { UsageError } from "./parse.ts";
import { plural, recordLine } from "./record_text.ts";
import { columns } from "./table.ts";
import { usage } from "./values.ts";

/** Decodes one request, encodes one, or reads lines. */
export async function decode(context: Context): Promise<number> {
  const { parsed: { flags, positional } } = context;
  if (flags.has("encode")) return encode(context);
  return positional.length === 0 ? await stream(context) : one(context);
}

function one(context: Context): number {
  const what = asked(context.parsed.positional);
  const { kind, request, rest } = what;
  const text = rest.join(" ");
  const value = /^0x[0-9a-f]+$/i.test(text) ? Number(text) : undefined;
  const argument = text === "" ? undefined : value ?? usage(() => unpackBytes(text), "HEX");
  checkForm(what, argument);
  const { name, fields, missing } = describeRequest(kind, request, argument);
  const { out } = context;
  out.line(`${name}  ${kind}  ${hex(request)}`);
  out.lines(columns(Object.entries(fields).map(([field, shown]) => [`  ${field}`, shown])));
  if (missing !== undefined) out.line(`  missing: ${missing}`);
  const extra = argument instanceof Uint8Array ? leftOver(what, argument, fields) : 0;
  if (extra > 0) out.line(`  left over: the last ${plural(extra, "byte")}`);
  const more = { missing: missing ?? null, leftOver: extra };
  out.record("request", { kind, request: hex(request), name, fields, ...more });
  return 0;
}

function encode(context: Context): number {
  const { kind, request, rest } = asked(context.parsed.positional);
  const fields = Object.fromEntries(rest.map((pair) => {
    const at = pair.indexOf("=");
    if (at <= 0) throw new UsageError(`--encode takes FIELD=VALUE; got ${JSON.stringify(pair)}`);
    return [pair.slice(0, at), pair.slice(at + 1)];
  }));
  const { name, argument } = usage(() => encodeRequest(kind, request, fields));
  const shown = argument instanceof Uint8Array
    ? argument.toHex()
    : argument === undefined
    ? ""
    : hex(argument);
  context.out.line(`${hex(request)} ${shown}`.trimEnd());
  const what = argument instanceof Uint8Array ? { bytes: shown } : { value: shown };
  context.out.record("request", { kind, request: hex(request), name, ...what });
  return 0;
}

/** Tells each call. What a trace's line is first is a trace; in another text `{` may mean anything. */
async function stream(context: Context): Promise<number> {
  const reader = new StraceReader();
  let [number, calls] = [0, 0];
  let isTrace: boolean | undefined;
  for await (const line of linesOf(context)) {
    context.signal.throwIfAborted();
    number += 1;
    isTrace ??= line.trim() === "" ? undefined : isOfTrace(line);
    const isCall = isTrace === true && line.startsWith("{")
      ? traceLine(context, line, number)
      : straceLine(context, reader, line);
    if (isCall) calls += 1;
    context.out.flush();
  }
  if (calls === 0) context.out.note(`no VFIO call found in ${plural(number, "line")}`);
  return 0;
}

/** Whether a text that begins with this line is a trace: also one that has a wrong record there. */
function isOfTrace(line: string): boolean {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && ("pinscope" in value || "call" in value);
  } catch {
    return false;
  }
}

/** Whether the line was a call. */
function traceLine({ out }: Context, line: string, number: number): boolean {
  try {
    const record = parseRecord(line, number);
    if (record === undefined) return false;
    out.line(recordLine(record));
    out.record("call", { ...record } as unknown as Record<string, Json>);
    return true;
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
    throw new InputError(error.message, { cause: error });
  }
}

/** Whether the line was a request. */
function straceLine({ out }: Context, reader: StraceReader, line: string): boolean {
  const seen = reader.line(line);
  if (seen === undefined) return false;
  const { fd, kind, request, names, fields, argument, result } = seen;
  const list = Object.entries(fields).map(([name, text]) => `${name} ${text}`);
  const shown = list.length > 0 ? list.join("; ") : argument ?? "";
  const parts = [`${names.join(" or ")} on ${kind ?? "descriptor"} ${fd}`, shown].filter(Boolean);
  out.line(`${parts.join(": ")} = ${result ?? "?"}`);
  const known = { kind: kind ?? null, argument: argument ?? null, result: result ?? null };
  out.record("ioctl", { fd, request: hex(request), names, fields, ...known });
  return true;
}
