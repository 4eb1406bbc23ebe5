/**
 * `--verbose`: each request to the kernel on stderr, by its fields, as it is made.
 *
 * @module
 */

import { type FileKind, isRecord, type TraceLine, type TraceRecord } from "../lib/trace/mod.ts";
import type { Output } from "./output.ts";
import { recordLine } from "./record_text.ts";
import { wrap } from "./table.ts";

/** Descriptors that no request is made of. */
const OTHERS: ReadonlySet<FileKind> = new Set(["text", "other", "eventfd", "memory"]);

/** Whether a call is a request of VFIO or iommufd, or makes or ends what requests are made of. */
function isRequest(record: TraceRecord): boolean {
  switch (record.call) {
    case "ioctl":
    case "mmap":
    case "munmap":
      return true;
    case "open":
    case "close":
    case "read":
    case "write":
    case "pread":
    case "pwrite":
      return !OTHERS.has(record.kind);
    default:
      return false;
  }
}

/** Takes the lines of a trace, and shows those that are requests. */
export function showRequests(out: Output): (line: TraceLine) => void {
  return (line) => {
    if (!isRecord(line) || !isRequest(line)) return;
    // What was printed before the call stands before it.
    out.flush();
    out.explain(wrap(recordLine(line), "      ").join("\n"));
  };
}
