import { RLIMIT_MEMLOCK } from "../sys/constant.ts";
import type { Kernel, ResourceLimit } from "../sys/kernel.ts";
import { packBytes, sameBytes, unpackBytes } from "./bytes.ts";
import { compareResults, type Difference } from "./compare.ts";
import { type ReplayFile, ReplayFiles } from "./replay_files.ts";
import { replayIoctl } from "./replay_ioctl.ts";
import { ReplayMemory } from "./replay_memory.ts";
import type {
  OpenRecord,
  PollRecord,
  PrlimitRecord,
  TraceRecord,
  TransferRecord,
} from "./record.ts";

/** How to run a trace again. */
export interface ReplayOptions {
  /** The device here for a device of the trace, where it has another name. */
  readonly devices?: Readonly<Record<string, string>>;
  /** Also compare what was read from registers and configuration space. */
  readonly registers?: boolean;
  /** Also write to /sys what the trace wrote: it binds drivers, for one. */
  readonly writesSysfs?: boolean;
}

/** What came of one record. */
export interface Step {
  /** What was recorded. */
  readonly record: TraceRecord;
  /** Nothing for one that gave the same, or was left out. */
  readonly differences: readonly Difference[];
  /** Why it was left out. */
  readonly skipped?: string;
}

/** What differs, or why it was left out. */
type Outcome = readonly Difference[] | string;

const NO_MEMORY = "memory that is not the trace's own";
/** A hand-written length may be anything. */
const MOST_READ = 1 << 28;

/** A wait without end would never tell that nothing came. */
const LONGEST_WAIT = 10_000;

/** Runs the records of a trace again, one by one. Dispose undoes what the trace left undone. */
export class Replayer implements Disposable {
  readonly #kernel: Kernel;
  readonly #options: ReplayOptions;
  readonly #files: ReplayFiles;
  readonly #memory: ReplayMemory;
  readonly #stack: DisposableStack;
  #limit: ResourceLimit | undefined;

  /** Begins a replay on a kernel. */
  constructor(kernel: Kernel, options: ReplayOptions = {}) {
    using stack = new DisposableStack();
    this.#kernel = kernel;
    this.#options = options;
    stack.use(kernel.retain());
    stack.defer(() => this.#restoreLimit());
    this.#memory = stack.use(new ReplayMemory(kernel));
    const { devices = {}, writesSysfs = false } = options;
    this.#files = stack.use(new ReplayFiles(kernel, devices, writesSysfs));
    this.#stack = stack.move();
  }

  /** Makes the call of a record again. */
  step(record: TraceRecord): Step {
    const outcome = this.#run(record);
    if (typeof outcome === "string") return { record, differences: [], skipped: outcome };
    return { record, differences: outcome };
  }

  #run(record: TraceRecord): Outcome {
    const { result } = record;
    switch (record.call) {
      case "open":
        return this.#open(record);
      case "memfd": {
        const fd = this.#kernel.memfd("pinscope", record.flags);
        return this.#made(result, fd, { size: 0n });
      }
      case "eventfd":
        return this.#made(result, this.#kernel.eventfd(record.initial, record.flags));
      case "mmap": {
        const file = this.#files.get(record.fd);
        if ("why" in file) return file.why;
        const got = this.#memory.map(record, this.#files.number(record.fd), file);
        return compareResults(result, got, false);
      }
      case "address":
        this.#memory.lend(record);
        return [];
      case "munmap": {
        const got = this.#memory.unmap(record);
        return got === undefined ? NO_MEMORY : compareResults(result, got, true);
      }
      case "poll":
        return this.#poll(record);
      case "prlimit":
        return this.#prlimit(record);
      case "readlink":
      case "list":
        return "a text that another host has in another form";
      case "sameFile":
        return "it compares with another process";
      default: {
        const file = this.#files.get(record.fd);
        return "why" in file ? this.#absent(record, file.why) : this.#onFile(record, file);
      }
    }
  }

  #absent(record: TraceRecord, why: string): string {
    if (record.call === "close") this.#files.delete(record.fd);
    return why;
  }

  #open(record: OpenRecord): Outcome {
    const why = this.#files.refusal(record);
    if (why === undefined) return this.#made(record.result, this.#files.open(record));
    if (record.result >= 0) this.#files.set(record.result, { why });
    return why;
  }

  /** A call that makes a descriptor; one that the trace did not get is closed at once. */
  #made(recorded: number, fd: number, file: Partial<ReplayFile> = {}): Outcome {
    if (recorded >= 0) {
      this.#files.set(
        recorded,
        fd < 0 ? { why: "its file was not to be had here" } : { ...file, fd },
      );
    } else if (fd >= 0) this.#kernel.close(fd);
    return compareResults(recorded, fd, false);
  }

  #onFile(
    record: Extract<TraceRecord, { fd: number }>,
    file: ReplayFile,
  ): Outcome {
    const { result } = record;
    switch (record.call) {
      case "close":
        this.#files.delete(record.fd);
        return compareResults(result, this.#kernel.close(file.fd), true);
      case "ioctl":
        return replayIoctl(record, file.fd, {
          kernel: this.#kernel,
          files: this.#files,
          memory: this.#memory,
        });
      case "ftruncate": {
        const length = BigInt(record.length);
        const got = this.#kernel.ftruncate(file.fd, length);
        if (got >= 0) file.size = length;
        return compareResults(result, got, true);
      }
      case "mmap":
        throw new TypeError("An mmap is no call on its file");
      default:
        return this.#transfer(record, file.fd);
    }
  }

  #transfer(record: TransferRecord, fd: number): Outcome {
    const { call, result, length, offset, data, text } = record;
    const given = text === undefined ? unpackBytes(data ?? "") : new TextEncoder().encode(text);
    const at = BigInt(offset ?? "0x0");
    const kernel = this.#kernel;
    if (call === "write" || call === "pwrite") {
      const got = call === "write" ? kernel.write(fd, given) : kernel.pwrite(fd, given, at);
      return compareResults(result, got, true);
    }
    const into = kernel.allocate(Math.min(length, MOST_READ));
    const got = call === "read" ? kernel.read(fd, into) : kernel.pread(fd, into, at);
    const differences = compareResults(result, got, true);
    // The script's own stores into memory are not in the trace, and registers change by themselves.
    const compares = record.kind === "eventfd" || this.#options.registers === true;
    const bytes = into.subarray(0, Math.max(0, got));
    if (differences.length > 0 || !compares || sameBytes(bytes, given)) return differences;
    return [{ what: "data", wanted: packBytes(given), got: packBytes(bytes) }];
  }

  #poll(record: PollRecord): Outcome {
    const absent = record.requests.map(({ fd }) => this.#files.get(fd)).find((file) =>
      "why" in file
    );
    if (absent !== undefined && "why" in absent) return absent.why;
    const requests = record.requests.map(({ fd, events }) => ({
      fd: this.#files.number(fd),
      events,
    }));
    const wait = record.timeout < 0 ? LONGEST_WAIT : Math.min(record.timeout, LONGEST_WAIT);
    const got = this.#kernel.poll(requests, wait);
    if (typeof got === "number") return compareResults(record.result, got, true);
    const differences = compareResults(record.result, 0, true);
    const [wanted, came] = [record.events ?? [], got].map((events) => events.join(" "));
    if (differences.length > 0 || wanted === came) return differences;
    return [{ what: "events", wanted: wanted ?? "", got: came ?? "" }];
  }

  /** Only a change of this process's own limit does anything. */
  #prlimit({ pid, resource, next, result }: PrlimitRecord): Outcome {
    if (next === undefined || pid !== 0) return "a limit that another process has";
    const wanted = { soft: BigInt(next.soft), hard: BigInt(next.hard) };
    if (resource !== RLIMIT_MEMLOCK) return "a limit that has nothing to do with VFIO";
    const got = this.#kernel.prlimit(0, resource, wanted);
    if (typeof got !== "number") this.#limit ??= got;
    return compareResults(result, typeof got === "number" ? got : 0, true);
  }

  #restoreLimit(): void {
    if (this.#limit !== undefined) this.#kernel.prlimit(0, RLIMIT_MEMLOCK, this.#limit);
    this.#limit = undefined;
  }

  /** Closes, unmaps and resets what the trace left. */
  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}
