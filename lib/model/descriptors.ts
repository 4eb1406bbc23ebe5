import { ERRNO } from "../base/errno.ts";
import type { ModelFile } from "./file.ts";

/** Descriptors 0 to 2 are taken by the terminal. */
const FIRST_FD = 3;

/** The descriptors of a process, and the files that its memory keeps open. */
export class Descriptors {
  readonly #files = new Map<number, ModelFile>();
  readonly #mapped = new Map<bigint, ModelFile>();

  /** How many are open. */
  get size(): number {
    return this.#files.size;
  }

  /** Their numbers. */
  get numbers(): number[] {
    return [...this.#files.keys()];
  }

  /** The open file behind a descriptor. */
  get(fd: number): ModelFile | undefined {
    return this.#files.get(fd);
  }

  /** Gives a file the lowest free descriptor. */
  install(file: ModelFile): number {
    let fd = FIRST_FD;
    while (this.#files.has(fd)) fd += 1;
    file.users += 1;
    this.#files.set(fd, file);
    return fd;
  }

  /** Closes a descriptor; the file goes with its last user. */
  close(fd: number): number {
    const file = this.#files.get(fd);
    if (file === undefined) return -ERRNO.EBADF;
    this.#files.delete(fd);
    file.drop();
    return 0;
  }

  /** A mapping keeps its file open. */
  map(address: bigint, file: ModelFile): void {
    file.users += 1;
    this.#mapped.set(address, file);
  }

  /** A mapping is gone. */
  unmap(address: bigint): void {
    const file = this.#mapped.get(address);
    this.#mapped.delete(address);
    file?.drop();
  }

  /** Those of a child: the same files. */
  fork(): Descriptors {
    const child = new Descriptors();
    for (const [fd, file] of this.#files) {
      file.users += 1;
      child.#files.set(fd, file);
    }
    for (const [address, file] of this.#mapped) child.map(address, file);
    return child;
  }
}
