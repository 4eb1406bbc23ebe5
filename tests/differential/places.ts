/** The memory that operations point at, on either kernel. */
import {
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  MAP_SHARED,
  MFD_CLOEXEC,
  PROT_READ,
  PROT_WRITE,
} from "../../lib/sys/constant.ts";
import type { Kernel } from "../../lib/sys/kernel.ts";
import type { Place, Pointer } from "./operation.ts";

/** Bytes of a page. */
export const PAGE = 4096;

/**
 * Bytes that a request may reach from the start of each place. `half` can be touched up to
 * {@link HALF}, and faults behind that.
 */
const SIZE: Readonly<Record<Place, number>> = {
  good: 512 * PAGE,
  bits: 32 * PAGE,
  half: 512 * PAGE,
  "read-only": 64 * PAGE,
  // Nothing is below the lowest address that a process may map, and nothing for long above it.
  nowhere: Infinity,
  kernel: Infinity,
  top: Infinity,
  null: Infinity,
};
/** What `good` begins at a multiple of, so that its addresses are alike on every kernel. */
const ALIGNMENT = 512n * BigInt(PAGE);
/** Bytes of `half` that are there. */
export const HALF: number = 8 * PAGE;

const FIXED: Partial<Record<Place, bigint>> = {
  nowhere: 0x1000n,
  kernel: 0xffff_8000_0000_0000n,
  top: (1n << 64n) - 0x2000n,
  null: 0n,
};

/** Memory of each kind, until scope end. */
export class Places implements Disposable {
  readonly #kernel: Kernel;
  readonly #address = new Map<Place, bigint>();
  readonly #view = new Map<Place, Uint8Array<ArrayBuffer>>();
  readonly #stack: DisposableStack;

  constructor(kernel: Kernel) {
    using stack = new DisposableStack();
    this.#kernel = kernel;
    const both = PROT_READ | PROT_WRITE;
    const anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
    this.#map(stack, "good", both, anonymous, -1, BigInt(SIZE.good) + ALIGNMENT);
    this.#see("good", SIZE.good + Number(ALIGNMENT));
    this.#align("good");
    this.#map(stack, "bits", both, anonymous, -1);
    this.#see("bits", SIZE.bits);
    this.#file(stack, "half", HALF, both);
    this.#see("half", HALF);
    this.#file(stack, "read-only", SIZE["read-only"], PROT_READ);
    this.#stack = stack.move();
  }

  #file(stack: DisposableStack, place: Place, length: number, protection: number): void {
    const fd = this.#kernel.memfd(place, MFD_CLOEXEC);
    if (fd < 0) throw new Error(`memfd: ${fd}`);
    try {
      const result = this.#kernel.ftruncate(fd, BigInt(length));
      if (result < 0) throw new Error(`ftruncate: ${result}`);
      this.#map(stack, place, protection, MAP_SHARED, fd);
    } finally {
      this.#kernel.close(fd);
    }
  }

  #map(
    stack: DisposableStack,
    place: Place,
    protection: number,
    flags: number,
    fd: number,
    size: bigint = BigInt(SIZE[place]),
  ): void {
    const address = this.#kernel.mmap(size, protection, flags, fd, 0n);
    if (typeof address === "number") throw new Error(`mmap of ${place}: ${address}`);
    stack.defer(() => {
      const view = this.#view.get(place);
      view?.buffer.transfer(0); //  a view that outlives its memory would crash
      this.#kernel.munmap(address, size);
    });
    this.#address.set(place, address);
  }

  /** Leaves out what is in front of the first multiple of {@link ALIGNMENT}. */
  #align(place: Place): void {
    const address = this.#address.get(place)!;
    const start = (address + ALIGNMENT - 1n) / ALIGNMENT * ALIGNMENT;
    this.#address.set(place, start);
    const at = Number(start - address);
    this.#view.set(place, this.#view.get(place)!.subarray(at, at + SIZE[place]));
  }

  #see(place: Place, length: number): void {
    const address = this.#address.get(place)!;
    this.#view.set(place, new Uint8Array(this.#kernel.viewOf(address, length)));
  }

  /**
   * The address of a pointer behind which the kernel may touch `length` bytes. Where they would not
   * fit, it is an address that has no memory: a real kernel must never get hold of other memory.
   */
  address(pointer: Pointer, length: bigint): bigint {
    const { place, offset } = pointer;
    const room = SIZE[place] - offset;
    const safe = length <= room ? place : "nowhere"; //  a bigint compares with Infinity, too
    const base = FIXED[safe] ?? this.#address.get(safe)!;
    return base + BigInt(offset);
  }

  /** The bytes from a pointer on, at most `length`; none where they cannot be seen. */
  bytes(pointer: Pointer, length: number): Uint8Array<ArrayBuffer> {
    const view = this.#view.get(pointer.place);
    return view?.subarray(pointer.offset, pointer.offset + length) ?? new Uint8Array(0);
  }

  /** Zeroes the memory that devices can have written. */
  clear(): void {
    this.#view.get("good")?.fill(0);
    this.#view.get("half")?.fill(0);
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}
