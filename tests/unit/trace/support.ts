/** What the tests of traces share: a kernel that answers by a script, and records. */
import { ERRNO } from "../../../lib/base/errno.ts";
import type { Kernel } from "../../../lib/sys/kernel.ts";
import { ModelKernel } from "../../../lib/model/mod.ts";
import { isRecord, type TraceLine, type TraceRecord, tracing } from "../../../lib/trace/mod.ts";
import { encodeRequest, FD_KINDS, type FdKind } from "../../../lib/uapi/mod.ts";

export { encodeRequest, FD_KINDS as REQUEST_KINDS };
export type { FdKind };

/** The records of a session, and its first line. */
export interface Recorded {
  readonly lines: TraceLine[];
  readonly records: TraceRecord[];
  readonly kernel: Kernel;
}

/** A kernel that is traced into lists. */
export function recorded(inner: Kernel = new ModelKernel()): Recorded {
  const lines: TraceLine[] = [];
  const records: TraceRecord[] = [];
  const kernel = tracing(inner, (line) => {
    lines.push(line);
    if (isRecord(line)) records.push(line);
  });
  return { lines, records, kernel };
}

/** A kernel like another one, but for some calls. */
export function instead(inner: Kernel, calls: Partial<Kernel>): Kernel {
  return new Proxy(inner, {
    get(target, name): unknown {
      const own: unknown = Reflect.get(calls, name);
      if (own !== undefined) return own;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

/** The bytes of a request. */
export function bytesOf(kind: FdKind, request: string, fields: Record<string, string>): Uint8Array {
  const { argument } = encodeRequest(kind, request, fields);
  if (!(argument instanceof Uint8Array)) throw new Error(`${request} takes no struct`);
  return argument;
}

export { ERRNO };
