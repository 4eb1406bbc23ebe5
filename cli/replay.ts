/**
 * `pinscope replay`: a trace, once more.
 *
 * @module
 */

import {
  parseTrace,
  replay,
  type ReplayRunOptions,
  type Step,
  type Trace,
  TraceError,
  type TraceRecord,
} from "../lib/trace/mod.ts";
import { ERRNO } from "../mod.ts";
import type { Context } from "./context.ts";
import { InputError, readWhole } from "./input.ts";
import type { Json } from "./output.ts";
import { UsageError } from "./parse.ts";
import { Progress } from "./progress.ts";
import { callText, fieldsText, plural } from "./record_text.ts";

/** Reads a trace; what cannot be understood is told with its file and line. */
async function load(path: string, context: Context): Promise<Trace> {
  try {
    return parseTrace(await readWhole(path, context));
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
    throw new InputError(`${path}: ${error.message}`, { cause: error });
  }
}

function devicesOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(pairs.map((pair) => {
    const [old, here, ...more] = pair.split("=");
    if (!old || !here || more.length > 0) {
      throw new UsageError(`--device takes OLD=NEW; got ${JSON.stringify(pair)}`);
    }
    return [old, here];
  }));
}

/** The devices that a trace names: those of its groups, and those that it took a descriptor of. */
function namedDevices(records: readonly TraceRecord[]): string[] {
  const names = records.flatMap((record): readonly string[] => {
    if (record.call === "open") return record.devices ?? [];
    if (record.call !== "ioctl" || record.name !== "VFIO_GROUP_GET_DEVICE_FD") return [];
    // Quoted, and behind the name there may be options: "0000:00:10.0 vf_token=...".
    const name = /^"([^" ]+)/.exec(record.fields?.["argument"] ?? "")?.[1];
    return name === undefined ? [] : [name];
  });
  return [...new Set(names)];
}

/** A device that nothing in the trace is about would be taken for nothing. */
function checkDevices(wanted: Readonly<Record<string, string>>, named: readonly string[]): void {
  const unknown = Object.keys(wanted).find((name) => !named.includes(name));
  if (unknown === undefined) return;
  const has = named.length === 0 ? "none" : named.join(", ");
  throw new UsageError(`--device: the trace has no device ${unknown}; it has ${has}`);
}

/** Makes the calls again; 1 if something differs. */
export async function replayCommand(context: Context): Promise<number> {
  const { out, kernel, parsed, signal } = context;
  const { flags, lists, positional: [path = ""] } = parsed;
  const devices = devicesOf(lists.get("device") ?? []);
  const options: ReplayRunOptions = {
    devices,
    registers: flags.has("registers"),
    writesSysfs: flags.has("sysfs"),
    all: flags.has("all"),
    signal,
    onStep: ({ record }) => {
      progress.at(() => `call ${record.seq}: ${callText(record)}`);
    },
  };
  using progress = new Progress(out);
  const { header, records, isCut } = await load(path, context);
  checkDevices(devices, namedDevices(records));
  const { release, kernel: recorded } = header;
  out.line(
    `trace    ${plural(records.length, "call")} on ${recorded}${release ? ` ${release}` : ""}`,
  );
  if (isCut) out.note("the last line of the trace is cut off, and left out");
  const { made, skipped, different } = await replay(records, kernel, options);
  for (const step of different) show(context, step);
  const verdict = different.length === 0 ? "no difference" : differing(different.length);
  out.line(`replay   ${plural(made, "call")} made, ${skipped} left out: ${verdict}`);
  out.record("replay", { made, skipped, different: different.length, cut: isCut });
  return different.length === 0 ? 0 : 1;
}

const differing = (count: number): string => `${count} ${count === 1 ? "differs" : "differ"}`;

/** The name of an error with its number: not everybody knows both. */
function numbered(text: string): string {
  const number = Object.entries(ERRNO).find(([name]) => name === text)?.[1];
  return number === undefined ? text : `${text} (${number})`;
}

/** Whether the container could be opened then, and there is none here. */
function lacksVfio(record: TraceRecord, differences: Step["differences"]): boolean {
  return record.call === "open" && record.path === "/dev/vfio/vfio" &&
    differences.some(({ what, got }) => what === "result" && /^(ENOENT|ENODEV)$/.test(got));
}

function show({ out }: Context, { record, differences }: Step): void {
  out.line(`record ${record.seq}  ${callText(record)}`);
  for (const line of fieldsText(record)) out.line(`  ${line}`);
  for (const { what, wanted, got } of differences) {
    out.line(`  ${what}: recorded: ${numbered(wanted)}; here: ${numbered(got)}`);
  }
  if (lacksVfio(record, differences)) {
    out.line("  VFIO is not loaded here: modprobe vfio-pci, or give --model");
  }
  const list = differences.map((one): Json => ({ ...one }));
  out.record("difference", { seq: record.seq, ...plain(record), differences: list });
}

function plain(record: TraceRecord): Readonly<Record<string, Json>> {
  const { call } = record;
  if (call !== "ioctl") return { call };
  const { name, kind, fd, fields = {} } = record;
  return { call, name, kind, fd, fields };
}
