/** The open files of a player, by kind and slot. */
import { errnoName } from "../../lib/base/errno.ts";
import { O_RDWR } from "../../lib/sys/constant.ts";
import type { Kernel } from "../../lib/sys/kernel.ts";
import type { Answer } from "./operation.ts";

/** What a file is. */
export type Kind = "container" | "group" | "device" | "iommufd";

/** In this order they are closed. */
const KINDS: readonly Kind[] = ["device", "group", "container", "iommufd"];

/** What a kernel answered: "OK", the name of an error, or a count. */
export const answer = (result: number): Answer => ({
  result: result < 0 ? errnoName(-result) : result === 0 ? "OK" : String(result),
});

/** Files of one kernel. */
export class OpenFiles {
  readonly #kernel: Kernel;
  readonly #files = new Map(KINDS.map((kind) => [kind, new Map<number, number>()]));

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  #of(kind: Kind): Map<number, number> {
    return this.#files.get(kind)!;
  }

  /** The number of a file, if it is open. */
  get(kind: Kind, slot: number): number | undefined {
    return this.#of(kind).get(slot);
  }

  /** Calls something with an open file; undefined where it is not open. */
  on(kind: Kind, slot: number, call: (fd: number) => Answer): Answer | undefined {
    const fd = this.get(kind, slot);
    return fd === undefined ? undefined : call(fd);
  }

  /** Opens a file; undefined where its slot is taken, or there is no path. */
  open(kind: Kind, slot: number, path: string | undefined): Answer | undefined {
    if (path === undefined || this.#of(kind).has(slot)) return undefined;
    return this.keep(kind, slot, this.#kernel.open(path, O_RDWR));
  }

  /** Keeps a file that was opened, or says why it was not. */
  keep(kind: Kind, slot: number, fd: number): Answer {
    if (fd < 0) return answer(fd);
    this.#of(kind).set(slot, fd);
    return { result: "fd" };
  }

  /** Closes a file. */
  close(kind: Kind, slot: number): Answer | undefined {
    return this.on(kind, slot, (fd) => {
      this.#of(kind).delete(slot);
      return answer(this.#kernel.close(fd));
    });
  }

  /** Closes all. */
  closeAll(): void {
    for (const kind of KINDS) {
      for (const fd of this.#of(kind).values()) this.#kernel.close(fd);
      this.#of(kind).clear();
    }
  }
}
