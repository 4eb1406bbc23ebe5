import type { Kernel } from "../sys/kernel.ts";
import { O_EXCL, O_NONBLOCK, O_RDWR, O_WRONLY } from "../sys/constant.ts";
import { groupNode, groupOfDevice, kindOfPath } from "./files.ts";
import type { BackingFile } from "./memory_table.ts";
import type { OpenRecord } from "./record.ts";

/** A descriptor here, for one in the trace. */
export interface ReplayFile extends BackingFile {
  readonly fd: number;
}

/** Why there is none. */
export interface AbsentFile {
  readonly why: string;
}

const NO_FILE = -1; // every call on it gives EBADF
const ACCESS = O_WRONLY | O_RDWR;
// What can be opened again without harm; a trace may come from anybody.
const NODES: ReadonlySet<string> = new Set(["container", "group", "device", "iommufd"]);
const HARMLESS: readonly string[] = ["/dev/null", "/dev/zero"];

/** The descriptors of a trace, and what stands for them here. */
export class ReplayFiles implements Disposable {
  readonly #kernel: Kernel;
  readonly #devices: Readonly<Record<string, string>>;
  readonly #writesSysfs: boolean;
  readonly #files = new Map<number, ReplayFile | AbsentFile>();

  /** Knows none yet. */
  constructor(kernel: Kernel, devices: Readonly<Record<string, string>>, writesSysfs: boolean) {
    this.#kernel = kernel;
    this.#devices = devices;
    this.#writesSysfs = writesSysfs;
  }

  /** The device here that stands for one in the trace. */
  deviceName(recorded: string): string {
    return Object.hasOwn(this.#devices, recorded) ? this.#devices[recorded]! : recorded;
  }

  /** Whether a file is opened again; else why not. */
  refusal({ path, flags }: OpenRecord): string | undefined {
    const kind = kindOfPath(path);
    if (NODES.has(kind) || HARMLESS.includes(path)) return undefined;
    if (kind !== "text") return "a file that has nothing to do with VFIO";
    const writes = (flags & ACCESS) !== 0 && /^\/sys\//.test(path) && !path.includes("..");
    if (!writes) return "a text that another host has in another form";
    return this.#writesSysfs ? undefined : "a write to /sys, which nobody asked for";
  }

  /** open again; a group is found by its devices. */
  open(record: OpenRecord): number {
    const flags = record.flags & (ACCESS | O_NONBLOCK | O_EXCL);
    return this.#kernel.open(this.#path(record), flags);
  }

  #path({ path, devices = [] }: OpenRecord): string {
    const group = groupNode(path);
    if (group === undefined) return path;
    for (const name of devices) {
      const number = groupOfDevice(this.#kernel, this.deviceName(name));
      if (number !== undefined) return `/dev/vfio/${group.prefix}${number}`;
    }
    return path;
  }

  /** Notes what stands for a descriptor of the trace. */
  set(recorded: number, file: ReplayFile | AbsentFile): void {
    this.#files.set(recorded, file);
  }

  /** What stands for it; one that the trace never opened is no file at all. */
  get(recorded: number): ReplayFile | AbsentFile {
    return this.#files.get(recorded) ?? { fd: NO_FILE };
  }

  /** The descriptor to write into a struct; a negative number means itself there. */
  number(recorded: number): number {
    if (recorded < 0) return recorded;
    const file = this.get(recorded);
    return "fd" in file ? file.fd : NO_FILE;
  }

  /** Forgets a descriptor that was closed. */
  delete(recorded: number): void {
    this.#files.delete(recorded);
  }

  /** Closes what the trace left open, the last first. */
  [Symbol.dispose](): void {
    for (const file of [...this.#files.values()].reverse()) {
      if ("fd" in file && file.fd >= 0) this.#kernel.close(file.fd);
    }
    this.#files.clear();
  }
}
