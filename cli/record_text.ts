/**
 * Records of a trace for people.
 *
 * @module
 */

import { resultText, type TraceRecord } from "../lib/trace/mod.ts";

const LONGEST = 60;

const shortened = (text: string): string =>
  text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}...`;

/** A count and its noun. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** What was called, on what, without its fields and its result. */
export function callText(record: TraceRecord): string {
  switch (record.call) {
    case "open":
    case "readlink":
    case "list":
      return `${record.call} ${record.path}`;
    case "ioctl":
      return `${record.name} on ${record.kind} ${record.fd}`;
    case "read":
    case "write":
    case "pread":
    case "pwrite": {
      const at = record.offset === undefined ? "" : ` at ${record.offset}`;
      return `${record.call} ${record.length} bytes${at} of ${record.kind} ${record.fd}`;
    }
    case "mmap":
      return `mmap ${record.length} bytes${record.fd < 0 ? "" : ` of ${record.kind} ${record.fd}`}`;
    case "munmap":
    case "address":
      return `${record.call} ${record.length} bytes at ${record.address}`;
    case "memfd":
      return `memfd ${record.name}`;
    case "ftruncate":
      return `ftruncate ${record.kind} ${record.fd} to ${record.length}`;
    case "eventfd":
      return `eventfd ${record.initial}`;
    case "close":
      return `close ${record.kind} ${record.fd}`;
    case "poll":
      return `poll ${record.requests.map(({ fd }) => fd).join(" ")} for ${record.timeout} ms`;
    case "prlimit":
      return `prlimit ${record.next === undefined ? "of" : "set for"} ${record.pid}`;
    case "sameFile":
      return `sameFile ${record.pids.join(" ")}`;
  }
}

/** A field a line: what the argument was, and what the call wrote into it. */
export function fieldsText(record: TraceRecord): string[] {
  if (record.call !== "ioctl") {
    return "data" in record && record.data !== undefined ? [shortened(record.data)] : [];
  }
  const { fields = {}, wrote = {}, pointers = [] } = record;
  const lines = Object.entries(fields).map(([name, text]) => {
    const after = wrote[name] === undefined ? "" : ` -> ${wrote[name]}`;
    const pointer = pointers.find(({ field }) => field === name);
    const place = pointer?.memory === undefined ? "" : `, memory ${pointer.memory}`;
    return `${name} ${text}${place}${after}`;
  });
  for (const { field, before, after } of pointers) {
    if (before !== undefined) lines.push(`behind ${field} before: ${shortened(before)}`);
    if (after !== undefined && after !== before) {
      lines.push(`behind ${field}: ${shortened(after)}`);
    }
  }
  return lines;
}

/** A record on one line, with its fields and its result. */
export function recordLine(record: TraceRecord): string {
  const fields = fieldsText(record);
  const shown = fields.length === 0 ? "" : `: ${fields.join("; ")}`;
  return `${record.seq}  ${callText(record)}${shown} = ${resultText(record.result)}`;
}
