import { ERRNO } from "../base/errno.ts";
import { MIGRATION_STATES, type MigrationState, nextState } from "../rules/migration.ts";
import { VFIO_MIGRATION_PRE_COPY } from "../uapi/flag.ts";
import type { ModelFile } from "./file.ts";
import { LoadingFile, type SavedState, SavingFile } from "./migration_stream.ts";

/** The device whose states these are. */
export interface MigratingDevice extends SavedState {
  /** Takes a state over. */
  load(data: Uint8Array): void;
}

const RUNS: ReadonlySet<MigrationState> = new Set([
  "running",
  "running-p2p",
  "pre-copy",
  "pre-copy-p2p",
]);

/**
 * The migration states of a device, as the driver of Pinscope's lab has them.
 *
 * @see tests/lab/vendor/migration.c
 */
export class DeviceMigration {
  /** Its VFIO_MIGRATION flags. */
  readonly flags: number;
  /** Whether the next change fails. */
  fails = false;
  readonly #device: MigratingDevice;
  #state: MigrationState = "running";
  #path: MigrationState[] = [];
  #stream: SavingFile | LoadingFile | undefined;

  /** A device that runs. */
  constructor(device: MigratingDevice, flags: number) {
    this.#device = device;
    this.flags = flags;
  }

  /** The kernel's number of the state. */
  get state(): number {
    return MIGRATION_STATES.indexOf(this.#state);
  }

  /** What the last change went through, 4 bits each, the first lowest. */
  get path(): bigint {
    return this.#path.reduceRight(
      (packed, state) => packed << 4n | BigInt(MIGRATION_STATES.indexOf(state)),
      0n,
    );
  }

  /** Whether the device may write to memory. */
  get runs(): boolean {
    return RUNS.has(this.#state);
  }

  /** Bytes to read until all is saved. */
  get left(): number {
    const stream = this.#stream;
    return stream instanceof SavingFile ? stream.left : 16 + this.#device.data.length + 16;
  }

  /** As after a reset: running, without a stream. */
  restart(): void {
    this.#end();
    this.fails = false;
    this.#state = "running";
    this.#path = [];
  }

  /** Changes the state: the stream that it opens, undefined if none, or -errno. */
  set(number: number): ModelFile | undefined | number {
    this.#path = [];
    const wanted = MIGRATION_STATES[number];
    if (wanted === undefined || this.#state === "error") return -ERRNO.EINVAL;
    let opened: ModelFile | undefined;
    while (this.#state !== wanted) {
      const next = nextState(this.#state, wanted, this.flags);
      if (next === undefined) return -ERRNO.EINVAL;
      const result = this.fails ? -ERRNO.EIO : this.#step(`${this.#state} ${next}`);
      if (typeof result === "number") {
        this.#end();
        this.fails = false;
        this.#state = "error";
        return result;
      }
      opened = result;
      this.#state = next;
      this.#path.push(next);
    }
    return opened;
  }

  #step(arc: string): ModelFile | undefined | number {
    switch (arc) {
      case "running pre-copy":
      case "running-p2p pre-copy-p2p":
        return this.#save();
      case "pre-copy stop-copy":
      case "pre-copy-p2p stop-copy":
        if (this.#stream instanceof SavingFile) this.#stream.finish();
        return undefined;
      case "stop stop-copy": {
        const stream = this.#save();
        stream.finish();
        return stream;
      }
      case "stop resuming":
        return this.#keep(new LoadingFile(this.#device.data.length));
      case "resuming stop": {
        const state = this.#stream instanceof LoadingFile ? this.#stream.state : undefined;
        this.#end();
        if (state === undefined) return -ERRNO.EINVAL;
        this.#device.load(state);
        return undefined;
      }
      case "pre-copy running":
      case "pre-copy-p2p running-p2p":
      case "stop-copy stop":
        this.#end();
        return undefined;
      default:
        return undefined;
    }
  }

  #save(): SavingFile {
    const hasPreCopy = (this.flags & VFIO_MIGRATION_PRE_COPY) !== 0;
    return this.#keep(new SavingFile(this.#device, hasPreCopy));
  }

  #keep<T extends SavingFile | LoadingFile>(stream: T): T {
    this.#stream = stream;
    return stream;
  }

  #end(): void {
    if (this.#stream !== undefined) this.#stream.ended = true;
    this.#stream = undefined;
  }
}
