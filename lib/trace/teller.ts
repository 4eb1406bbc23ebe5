import { errnoName } from "../base/errno.ts";
import type { Kernel } from "../sys/kernel.ts";
import { readLine } from "../sys/text.ts";
import type { TraceRecord, TraceSink } from "./record.ts";

/** A record without what {@link Teller} adds to each. */
export type Told = TraceRecord extends infer R
  ? R extends TraceRecord ? Omit<R, "seq" | "error" | "waited"> : never
  : never;

/** Numbers the records of a trace, puts the header before them, and hands them on. */
export class Teller {
  readonly #kernel: Kernel;
  readonly #sink: TraceSink;
  #seq = 0;
  #awaits = false;
  #waited = false;

  /** Tells `sink` of calls to `kernel`. */
  constructor(kernel: Kernel, sink: TraceSink) {
    this.#kernel = kernel;
    this.#sink = sink;
  }

  /** Hands a record on. */
  tell(told: Told): void {
    if (this.#seq === 0) this.#header();
    const { result } = told;
    const error = result < 0 ? { error: errnoName(-result) } : {};
    const waited = this.#waited ? { waited: true } : {};
    this.#sink({ seq: this.#seq, ...told, ...error, ...waited } as TraceRecord);
    this.#seq += 1;
    this.#waited = false;
    if (this.#awaits) return;
    this.#awaits = true;
    queueMicrotask(() => { // runs as soon as the script awaits anything
      this.#awaits = false;
      this.#waited = true;
    });
  }

  #header(): void {
    const release = readLine(this.#kernel, "/proc/sys/kernel/osrelease");
    const known = release === undefined ? {} : { release };
    this.#sink({ pinscope: "trace", version: 1, kernel: this.#kernel.name, ...known });
  }
}
