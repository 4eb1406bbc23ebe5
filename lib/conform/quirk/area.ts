/** Memory for bitmaps that may be written past their end, with a guard behind it. */

import { MAP_SHARED, MFD_CLOEXEC, PROT_READ, PROT_WRITE } from "../../sys/constant.ts";
import type { Kernel } from "../../sys/kernel.ts";
import { must, Unprepared } from "../raw.ts";

/** Pages in front of the bitmap, of the bitmap and behind it; then pages that nothing can write. */
const [FRONT, ROOM, SLACK, GUARD] = [1, 1, 3, 16] as const;

/**
 * A bitmap between pages of slack: a bit that the kernel sets outside of it is found there. Behind the
 * slack the file of the memory has ended, so that a write faults and hits nobody.
 */
export class GuardedArea implements Disposable {
  /** User address of the bitmap. */
  readonly address: bigint;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #front: number;
  readonly #stack: DisposableStack;

  /** Takes the memory. */
  constructor(kernel: Kernel, page: bigint) {
    using stack = new DisposableStack();
    const viewed = BigInt(FRONT + ROOM + SLACK) * page;
    const fd = must(kernel.memfd("pinscope-quirks", MFD_CLOEXEC), "memfd_create");
    const size = viewed + BigInt(GUARD) * page;
    let address: bigint | number;
    try {
      must(kernel.ftruncate(fd, viewed), "ftruncate");
      address = kernel.mmap(size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0n);
    } finally {
      kernel.close(fd);
    }
    if (typeof address === "number") throw new Unprepared("mmap", `${address}`);
    const start = address;
    stack.defer(() => void kernel.munmap(start, size));
    const buffer = kernel.viewOf(start, Number(viewed));
    stack.defer(() => void buffer.transfer(0)); // before munmap
    this.#bytes = new Uint8Array(buffer);
    this.#front = FRONT * Number(page);
    this.address = start + BigInt(this.#front);
    this.#stack = stack.move();
  }

  /** Sets every byte, in front of the bitmap and behind it too. */
  fill(value: 0 | 0xff): void {
    this.#bytes.fill(value);
  }

  /** The 64-bit words of the bitmap. */
  words(count: number): bigint[] {
    const view = new DataView(this.#bytes.buffer, this.#front);
    return Array.from({ length: count }, (_, i) => view.getBigUint64(i * 8, true));
  }

  /** How many bits are set that are no bits of a bitmap of `bytes` bytes. */
  outside(bytes: number): number {
    const end = this.#front + bytes;
    let count = 0;
    for (const [i, byte] of this.#bytes.entries()) {
      if (i < this.#front || i >= end) count += ones(BigInt(byte));
    }
    return count;
  }

  /** Gives the memory back. */
  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

/** How many bits of a value are set. */
export function ones(value: bigint): number {
  let count = 0;
  for (let rest = value; rest > 0n; rest &= rest - 1n) count += 1;
  return count;
}
