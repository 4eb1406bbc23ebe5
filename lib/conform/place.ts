/** Memory of each kind that a request can point at. */

import {
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  MAP_SHARED,
  MFD_CLOEXEC,
  PROT_READ,
  PROT_WRITE,
} from "../sys/constant.ts";
import type { Kernel } from "../sys/kernel.ts";
import { must, Unprepared } from "./raw.ts";

/** An address that belongs to the kernel. */
export const KERNEL_SPACE = 0xffff_8000_0000_0000n;
/** An address below the lowest that a process may have. */
export const NOWHERE = 0x1000n;

/** Memory that lies at an address of the process. */
export interface Place {
  readonly address: bigint;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** How much of {@link Places.memory} there is, in pages. */
export const MEMORY_PAGES = 320n;

/** Memory for all checks of a run: each begins with zeroed bytes. */
export class Places implements Disposable {
  /** Pages to read and write. */
  readonly memory: Place;
  /** Another page, for what the kernel writes. */
  readonly bitmap: Place;
  /** One page that can only be read. */
  readonly readOnly: bigint;
  /** One page to write, and behind it one past the end of its file: a write there faults. */
  readonly half: Place;
  readonly #stack: DisposableStack;

  /** Takes the memory. */
  constructor(kernel: Kernel, page: bigint) {
    using stack = new DisposableStack();
    const anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
    const both = PROT_READ | PROT_WRITE;
    const place = (size: bigint, flags: number, fd: number, viewed: bigint): Place => {
      const address = map(kernel, stack, size, both, flags, fd);
      const buffer = kernel.viewOf(address, Number(viewed));
      stack.defer(() => void buffer.transfer(0)); // before munmap
      return { address, bytes: new Uint8Array(buffer) };
    };
    this.memory = place(MEMORY_PAGES * page, anonymous, -1, MEMORY_PAGES * page);
    this.bitmap = place(page, anonymous, -1, page);
    this.readOnly = map(kernel, stack, page, PROT_READ, anonymous, -1);
    const fd = must(kernel.memfd("pinscope-conform", MFD_CLOEXEC), "memfd_create");
    try {
      must(kernel.ftruncate(fd, page), "ftruncate");
      // The view ends with the file: what lies behind it must not be touched.
      this.half = place(2n * page, MAP_SHARED, fd, page);
    } finally {
      kernel.close(fd);
    }
    this.#stack = stack.move();
  }

  /** Zeroes what can be written. */
  clear(): void {
    for (const { bytes } of [this.memory, this.bitmap, this.half]) bytes.fill(0);
  }

  /** Gives the memory back. */
  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

function map(
  kernel: Kernel,
  stack: DisposableStack,
  size: bigint,
  protection: number,
  flags: number,
  fd: number,
): bigint {
  const address = kernel.mmap(size, protection, flags, fd, 0n);
  if (typeof address === "number") throw new Unprepared("mmap", `${address}`);
  stack.defer(() => void kernel.munmap(address, size));
  return address;
}

/** The 64-bit words at the start of some bytes, as "0x1e 0x0". */
export function words(bytes: Uint8Array, count: number): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const texts: string[] = [];
  for (let i = 0; i < count; i += 1) texts.push(`0x${view.getBigUint64(i * 8, true).toString(16)}`);
  return texts.join(" ");
}
