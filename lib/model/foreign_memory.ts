import { PAGE } from "./page.ts";

/** Addresses of JavaScript memory, apart from what mmap gives. */
const FIRST_FOREIGN = 0x5500_0000_0000n;

/** Bytes of JavaScript memory from an address on. */
interface ForeignStretch {
  readonly size: bigint;
  readonly isDevice: false;
  read(offset: number, into: Uint8Array): void;
  write(offset: number, from: Uint8Array): void;
}

/** JavaScript memory that was given an address, and is not kept alive for it. */
export class ForeignMemory {
  readonly #addresses = new WeakMap<ArrayBufferLike, bigint>();
  readonly #byAddress = new Map<bigint, WeakRef<ArrayBufferLike>>();
  #next = FIRST_FOREIGN;

  /** Gives a view an address. */
  addressOf(view: Uint8Array): bigint {
    let base = this.#addresses.get(view.buffer);
    if (base === undefined) {
      base = this.#next;
      this.#addresses.set(view.buffer, base);
      this.#byAddress.set(base, new WeakRef(view.buffer));
      this.#next += (BigInt(view.buffer.byteLength) + 2n * PAGE - 1n) / PAGE * PAGE;
    }
    return base + BigInt(view.byteOffset);
  }

  /** What is at an address, up to the end of its buffer. */
  stretch(address: bigint): ForeignStretch | undefined {
    if (address < FIRST_FOREIGN || address >= this.#next) return undefined;
    for (const [base, reference] of this.#byAddress) {
      const buffer = reference.deref();
      if (buffer === undefined) this.#byAddress.delete(base);
      else if (base <= address && address < base + BigInt(buffer.byteLength)) {
        const at = Number(address - base);
        const bytes = new Uint8Array(buffer, at);
        return {
          size: BigInt(bytes.length),
          isDevice: false,
          read: (offset, into) => into.set(bytes.subarray(offset, offset + into.length)),
          write: (offset, from) => bytes.set(from, offset),
        };
      }
    }
    return undefined;
  }
}
