/**
 * Sessions with the kernel, recorded: every system call decoded, one JSON object a line, to be run
 * again on another kernel or on the model; and the ioctls of strace's output by their fields.
 *
 * @example Record, write down, run again
 * ```ts
 * import { Container } from "@pinscope/vfio";
 * import { ModelKernel } from "@pinscope/vfio/model";
 * import { formatLine, parseTrace, replay, tracing } from "@pinscope/vfio/trace";
 *
 * let text = "";
 * {
 *   const kernel = tracing(new ModelKernel(), (line) => text += formatLine(line));
 *   using container = Container.open({ kernel });
 *   using _group = container.attach("0000:00:10.0");
 * }
 * const { header, records } = parseTrace(text);
 * const { different } = await replay(records, new ModelKernel());
 * if (header.kernel !== "model" || different.length > 0) throw new Error("the same again");
 * ```
 *
 * @module
 */

export { packBytes, unpackBytes } from "./bytes.ts";
export { type Difference, resultText } from "./compare.ts";
export { formatLine, isRecord, parseRecord, parseTrace, type Trace, TraceError } from "./parse.ts";
export type * from "./record.ts";
export { replay, type ReplayReport, type ReplayRunOptions } from "./replay.ts";
export { Replayer, type ReplayOptions, type Step } from "./replayer.ts";
export { type StraceIoctl, StraceReader } from "./strace.ts";
export { tracing } from "./tracing.ts";
export type {
  Kernel,
  MemoryAdvice,
  PollRequest,
  ResourceLimit,
  ViewAddress,
} from "../sys/kernel.ts";
