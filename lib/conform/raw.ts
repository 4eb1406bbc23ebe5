/** Requests that nothing checks before the kernel does. */

import { errnoName } from "../base/errno.ts";
import type { Kernel } from "../sys/kernel.ts";

/** The preparation of a check was refused: what it would ask cannot be asked. */
export class Unprepared extends Error {
  /** "Unprepared". */
  override readonly name = "Unprepared";
  /** What was refused. */
  readonly what: string;
  /** The answer. */
  readonly answer: string;

  /** Tells what was refused. */
  constructor(what: string, answer: string) {
    super(`${what}: ${answer}`);
    this.what = what;
    this.answer = answer;
  }
}

/** What the kernel answered: "OK", or the name of the error. */
export const answer = (result: number): string => result < 0 ? errnoName(-result) : "OK";

/** The same where the number counts: it, or the name of the error. */
export const value = (result: number): string => result < 0 ? errnoName(-result) : `${result}`;

/** Passes a result on that must not be a refusal. */
export function must(result: number, what: string): number {
  if (result < 0) throw new Unprepared(what, answer(result));
  return result;
}

/** The bytes of 32-bit values. */
export const words32 = (...values: readonly number[]): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Uint32Array.from(values).buffer);

/** An open file that is closed at scope end. */
export class RawFile implements Disposable {
  readonly kernel: Kernel;
  /** Its number. */
  readonly fd: number;
  #open = true;

  /** Takes a file over. */
  constructor(kernel: Kernel, fd: number) {
    this.kernel = kernel;
    this.fd = fd;
  }

  /** ioctl with a struct, or with nothing for a NULL pointer. */
  ask(request: number, argument: Uint8Array): number {
    return this.kernel.ioctlBuffer(this.fd, request, argument);
  }

  /** ioctl with a value. */
  askValue(request: number, argument: bigint | number): number {
    return this.kernel.ioctlValue(this.fd, request, BigInt(argument));
  }

  /** ioctl with nothing. */
  call(request: number): number {
    return this.kernel.ioctl(this.fd, request);
  }

  /** Closes it, now or at scope end. */
  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.kernel.close(this.fd);
  }
}

/** No argument at all: a NULL pointer. */
export const NULL: Uint8Array<ArrayBuffer> = new Uint8Array(0);
