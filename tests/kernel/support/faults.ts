/**
 * Refuses memory to the kernel itself at a chosen moment, which needs CONFIG_FAILSLAB and
 * CONFIG_FAULT_INJECTION_DEBUG_FS: the lab's own kernels have both.
 *
 * @see Documentation/fault-injection/fault-injection.rst
 */

import { type Kernel, rawLinux as linux } from "../../../mod.ts";
import type { OwnedFd } from "../../../lib/sys/owned_fd.ts";
import { must, openFile } from "./raw.ts";

const text = (words: string): Uint8Array => new TextEncoder().encode(words);

function setting(path: string, value: string): void {
  using file = openFile(`/sys/kernel/debug/${path}`);
  must(linux.write(file.fd, text(value)), path);
}

/** Lets a request of this thread meet a failure. */
export class Faults implements Disposable {
  readonly #file: OwnedFd;

  constructor() {
    // By default only allocations that may not sleep fail.
    setting("failslab/ignore-gfp-wait", "N");
    setting("failslab/verbose", "0");
    setting("fail_iommufd/verbose", "0");
    this.#file = openFile("/proc/thread-self/fail-nth");
  }

  /**
   * Does something while the `nth` thing in the kernel that can fail does, counted from 1.
   *
   * @returns Its result, and whether it came to that many.
   */
  nth<T>(nth: number, act: () => T): { readonly result: T; readonly failed: boolean } {
    this.#set(nth);
    try {
      const result = act();
      return { result, failed: this.#left() === 0 };
    } finally {
      this.#set(0);
    }
  }

  /** What a request answers, the first, second and so on thing failing, until none is left to. */
  answers(ask: () => string): string[] {
    const found: string[] = [];
    for (let nth = 1; nth < 200; nth += 1) {
      const { result, failed } = this.nth(nth, ask);
      found.push(result);
      if (!failed) return found;
    }
    throw new Error("there is no end to what can fail");
  }

  /**
   * Linux, but the requests of one number answer ENOMEM as soon as the kernel has something to
   * allocate for them; `isOn` says when.
   */
  kernel(request: number, isOn: () => boolean): Kernel {
    const ioctlBuffer: Kernel["ioctlBuffer"] = (fd, number, bytes) => {
      if (number !== request || !isOn()) return linux.ioctlBuffer(fd, number, bytes);
      for (let nth = 1; nth < 200; nth += 1) {
        const copy = bytes.slice();
        const { result, failed } = this.nth(nth, () => linux.ioctlBuffer(fd, number, copy));
        if (result === -12 || !failed) return result;
        if (result >= 0) throw new Error("the request went well although something failed");
      }
      throw new Error("there is no end to what can fail");
    };
    return new Proxy(linux, {
      get: (target, name) => {
        if (name === "ioctlBuffer") return ioctlBuffer;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  #set(nth: number): void {
    must(linux.write(this.#file.fd, text(`${nth}`)), "fail-nth");
  }

  #left(): number {
    const into = new Uint8Array(16);
    const length = must(linux.pread(this.#file.fd, into, 0n), "fail-nth");
    return Number(new TextDecoder().decode(into.subarray(0, length)));
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
    setting("failslab/ignore-gfp-wait", "Y");
  }
}
