import { ERRNO } from "../base/errno.ts";
import { check } from "../base/error.ts";
import { EFD_CLOEXEC, EFD_NONBLOCK, POLLIN } from "../sys/constant.ts";
import type { Kernel } from "../sys/kernel.ts";
import { OwnedFd } from "../sys/owned_fd.ts";

/**
 * An eventfd: the kernel adds to it when an interrupt comes, a script waits for it.
 *
 * @see fs/eventfd.c
 */
export class EventFd implements Disposable {
  readonly #kernel: Kernel;
  readonly #retained: Disposable;
  readonly #file: OwnedFd;
  readonly #count = new BigUint64Array(1);

  /** Makes an eventfd that stands at 0. */
  constructor(kernel: Kernel) {
    using stack = new DisposableStack();
    this.#kernel = kernel;
    this.#retained = stack.use(kernel.retain());
    const fd = kernel.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    this.#file = new OwnedFd(kernel, check(fd, "eventfd", "make an eventfd"), "the eventfd");
    stack.move();
  }

  /** The descriptor that goes to the kernel. */
  get fd(): number {
    return this.#file.fd;
  }

  /**
   * Takes what has come since the last time.
   *
   * @returns How many events; 0n if none.
   */
  take(): bigint {
    const got = this.#kernel.read(this.#file.fd, new Uint8Array(this.#count.buffer));
    if (got === -ERRNO.EAGAIN) return 0n;
    check(got, "read", "read an eventfd");
    return this.#count[0]!;
  }

  /**
   * Waits until an event comes, and takes it. The event loop stands still meanwhile.
   *
   * @param timeout Milliseconds to wait at most.
   * @returns How many events; 0n if the time ran out.
   */
  wait(timeout: number): bigint {
    const events = this.#kernel.poll([{ fd: this.#file.fd, events: POLLIN }], timeout);
    if (typeof events === "number" && events !== -ERRNO.EINTR) {
      check(events, "poll", "wait for an eventfd");
    }
    return this.take();
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    if (!this.#file.isOpen) return;
    using stack = new DisposableStack();
    stack.use(this.#retained);
    stack.use(this.#file);
  }
}
