import { check } from "../base/error.ts";
import type { Kernel } from "./kernel.ts";

/** A file descriptor that is closed once, at the end of its scope. */
export class OwnedFd implements Disposable {
  readonly #kernel: Kernel;
  readonly #what: string;
  #fd: number;

  /** Takes over `fd`; `what` names it in errors. */
  constructor(kernel: Kernel, fd: number, what: string) {
    this.#kernel = kernel;
    this.#fd = fd;
    this.#what = what;
  }

  /**
   * The number, while it is open.
   *
   * @throws {ReferenceError} After dispose: the number may belong to another file by then.
   */
  get fd(): number {
    if (this.#fd < 0) throw new ReferenceError(`Cannot use ${this.#what}: it is closed`);
    return this.#fd;
  }

  /** Whether it is still open. */
  get isOpen(): boolean {
    return this.#fd >= 0;
  }

  /** Closes the file; a second time does nothing. */
  [Symbol.dispose](): void {
    if (this.#fd < 0) return;
    const fd = this.#fd;
    this.#fd = -1;
    check(this.#kernel.close(fd), "close", `close ${this.#what}`);
  }
}
