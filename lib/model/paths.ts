import { ERRNO } from "../base/errno.ts";
import type { ModelFile } from "./file.ts";
import type { Host } from "./host.ts";
import type { Process } from "./process.ts";
import { addProcfs } from "./procfs.ts";
import { addDevices, addSysfs } from "./sysfs.ts";
import { Tree } from "./tree.ts";

const FDS = /^\/proc\/(self|\d+)\/fd$/;
const FD = /^\/proc\/(self|\d+)\/fd\/(\d+)$/;

/** The files of the host as a process sees them: its own /proc/self among them. */
export class Paths {
  readonly #host: Host;
  readonly #process: Process;
  #tree: Tree | undefined;
  #treeOf = -1;

  /** The files for a process. */
  constructor(host: Host, process: Process) {
    this.#host = host;
    this.#process = process;
  }

  /** Made anew after each change of the host. */
  #current(): Tree {
    if (this.#tree !== undefined && this.#treeOf === this.#host.changes) return this.#tree;
    const tree = new Tree();
    addSysfs(tree, this.#host, () => this.#host.changes += 1);
    addProcfs(tree, this.#host, this.#process);
    addDevices(tree, this.#host);
    this.#tree = tree;
    this.#treeOf = this.#host.changes;
    return tree;
  }

  /** Opens what is at a path. */
  open(path: string): ModelFile | number {
    return this.#current().open(path);
  }

  /** The process with a number, or "self". */
  processOf(pid: string): Process | undefined {
    if (pid === "self") return this.#process;
    return this.#host.processes.find((process) => `${process.pid}` === pid);
  }

  /** The target of a link. */
  readlink(path: string): string | number {
    const [, pid, fd] = FD.exec(path) ?? [];
    const process = pid === undefined ? undefined : this.processOf(pid);
    if (process === undefined) return this.#current().readlink(path);
    return process.files.get(Number(fd))?.path ?? -ERRNO.ENOENT;
  }

  /** The names in a folder. */
  list(path: string): string[] | number {
    const [, pid] = FDS.exec(path) ?? [];
    const process = pid === undefined ? undefined : this.processOf(pid);
    return process?.files.numbers.map(String).sort() ?? this.#current().list(path);
  }
}
