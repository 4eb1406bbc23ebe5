/** Memory of each kind that a request can point at. */

import { HostMemory, type Kernel, rawLinux as linux } from "../../../mod.ts";
import {
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  MAP_SHARED,
  MFD_CLOEXEC,
  PROT_READ,
  PROT_WRITE,
} from "../../../lib/sys/constant.ts";
import { OwnedFd } from "../../../lib/sys/owned_fd.ts";
import { PAGE } from "./machine.ts";
import { must } from "./raw.ts";

/** An address that belongs to the kernel. */
export const KERNEL_SPACE = 0xffff_8000_0000_0000n;
/** An address below the lowest that a process may have. */
export const NOWHERE = 0x1000n;

/** Addresses for one test; the memory goes at scope end. */
export class Places implements Disposable {
  /** 64 pages to read and write. */
  readonly memory: HostMemory;
  /** One page that can only be read. */
  readonly readOnly: bigint;
  /** One page to write, and behind it one past the end of its file: a write there faults. */
  readonly halfGood: bigint;
  readonly #stack: DisposableStack;

  constructor(kernel: Kernel = linux) {
    using stack = new DisposableStack();
    this.memory = stack.use(HostMemory.allocate(kernel, 64n * PAGE));
    this.readOnly = map(kernel, stack, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    const fd = must(kernel.memfd("half", MFD_CLOEXEC), "memfd");
    using file = new OwnedFd(kernel, fd, "a file of one page");
    must(kernel.ftruncate(file.fd, PAGE), "ftruncate");
    this.halfGood = map(kernel, stack, 2n * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd);
    this.#stack = stack.move();
  }

  /** The address of `memory`. */
  get good(): bigint {
    return this.memory.address;
  }

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
  if (typeof address === "number") throw new Error(`mmap: ${address}`);
  stack.defer(() => void kernel.munmap(address, size));
  return address;
}

/** The 64-bit words of memory from `address` on. */
export function words(memory: HostMemory, count: number): bigint[] {
  return [...new BigUint64Array(memory.bytes.buffer, 0, count)];
}
