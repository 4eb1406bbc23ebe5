import type { Kernel } from "../sys/kernel.ts";
import { Replayer, type ReplayOptions, type Step } from "./replayer.ts";
import type { TraceRecord } from "./record.ts";

/** How to run a trace again, and when to stop. */
export interface ReplayRunOptions extends ReplayOptions {
  /** Go on behind the first record that differs. */
  readonly all?: boolean;
  /** Called with each record's outcome, before the next is made: a test can play the device here. */
  readonly onStep?: (step: Step) => void;
  /** Ends the replay early. */
  readonly signal?: AbortSignal;
}

/** What came of a trace. */
export interface ReplayReport {
  /** Records whose calls were made again. */
  readonly made: number;
  /** Records that were left out: texts of the host, other processes. */
  readonly skipped: number;
  /** Records that gave something else; at most one unless all were asked for. */
  readonly different: readonly Step[];
}

/**
 * Makes the system calls of a trace again, and compares what they give: results, error numbers,
 * bytes that were written back, bitmaps. What differs between two runs anyway is not compared:
 * numbers of descriptors, addresses, texts of /proc and /sys, registers unless asked for. A group is
 * found by the devices in it, and pointers lead into memory that is the replay's own.
 *
 * @example A session that gives the same again
 * ```ts
 * import { Container } from "@pinscope/vfio";
 * import { ModelKernel } from "@pinscope/vfio/model";
 * import { isRecord, replay, type TraceRecord, tracing } from "@pinscope/vfio/trace";
 *
 * const records: TraceRecord[] = [];
 * const kernel = tracing(new ModelKernel(), (line) => {
 *   if (isRecord(line)) records.push(line);
 * });
 * {
 *   using container = Container.open({ kernel });
 *   using _group = container.attach("0000:00:10.0");
 *   using memory = container.allocate(1n << 20n);
 *   using _mapping = container.map(memory);
 * }
 * const { different } = await replay(records, new ModelKernel());
 * if (different.length > 0) throw new Error("two models answer alike");
 * ```
 *
 * @param records The records of a trace, in order.
 * @param kernel What answers now.
 * @returns What differed. Everything that the trace left open is closed.
 * @throws The reason of the signal, if that ends it.
 */
export async function replay(
  records: Iterable<TraceRecord>,
  kernel: Kernel,
  options: ReplayRunOptions = {},
): Promise<ReplayReport> {
  using replayer = new Replayer(kernel, options);
  const different: Step[] = [];
  let made = 0;
  let skipped = 0;
  for (const record of records) {
    // A model's devices work while a script waits: so the replay waits where the script did.
    if (record.waited === true) await Promise.resolve();
    options.signal?.throwIfAborted();
    const step = replayer.step(record);
    if (step.skipped === undefined) made += 1;
    else skipped += 1;
    options.onStep?.(step);
    if (step.differences.length === 0) continue;
    different.push(step);
    if (options.all !== true) break;
  }
  return { made, skipped, different };
}
