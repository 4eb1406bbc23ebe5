import { check } from "../base/error.ts";
import { formatSize } from "../base/format.ts";
import type { Kernel } from "./kernel.ts";
import { type HostPages, type MemoryOptions, takePages } from "./host_pages.ts";

export type { MemoryOptions };

/** Set by the class, for this module alone. */
let hold: (memory: HostMemory) => Disposable;

/**
 * Host memory that a device may reach: mmap'd, so that it stays where it is.
 *
 * Give it up with `using` or dispose. That detaches {@link HostMemory.bytes} first: a view kept
 * beyond it is empty, instead of reading memory that is gone. Memory that is mapped by then goes back
 * to the host with its last mapping; {@link HostMemory.free} refuses it instead.
 *
 * @example Memory as bytes
 * ```ts
 * import { HostMemory } from "@pinscope/vfio";
 * import { ModelKernel } from "@pinscope/vfio/model";
 *
 * using memory = HostMemory.allocate(new ModelKernel(), 1n << 20n);
 * memory.bytes[0] = 42;
 * if (memory.bytes.length !== 1 << 20) throw new Error("1 MiB");
 * ```
 */
export class HostMemory implements Disposable {
  /** User address of the first byte, page aligned. */
  readonly address: bigint;
  /** Length in bytes. */
  readonly size: bigint;
  readonly #kernel: Kernel;
  readonly #pages: HostPages;
  #buffer: ArrayBuffer | undefined;
  #users = 0;
  #state: "in use" | "given up" | "gone" = "in use";

  static {
    hold = (memory) => memory.#hold();
  }

  private constructor(kernel: Kernel, size: bigint, pages: HostPages) {
    this.#kernel = kernel;
    this.#pages = pages;
    this.address = pages.address;
    this.size = size;
  }

  /**
   * Takes zeroed memory from the host.
   *
   * @param kernel Where to allocate; `container.allocate` fills it in.
   * @param size Bytes, a multiple of 4096 or of the huge page size.
   * @param options Huge pages, or a file behind the memory.
   * @returns The memory; give it up with `using`.
   * @throws {TypeError} If the size is no bigint, or an option is not one of those there are.
   * @throws {RangeError} If the size is not such a multiple.
   * @throws {VfioError} ENOMEM, where the host has not enough memory or huge pages.
   * @see mm/mmap.c, ksys_mmap_pgoff
   */
  static allocate(kernel: Kernel, size: bigint, options?: MemoryOptions): HostMemory {
    return new HostMemory(kernel, size, takePages(kernel, size, options));
  }

  /**
   * All of the memory as bytes. Device and processor share it: a value that the device changes is
   * read with `Atomics.load`.
   *
   * @throws {ReferenceError} After dispose.
   */
  get bytes(): Uint8Array<ArrayBuffer> {
    this.#checkInUse("use");
    this.#buffer ??= this.#kernel.viewOf(this.address, Number(this.size));
    return new Uint8Array(this.#buffer);
  }

  /**
   * The file behind memory with `backing: "memfd"`, to hand to another process.
   *
   * @throws {ReferenceError} After dispose.
   */
  get fd(): number | undefined {
    this.#checkInUse("use");
    return this.#pages.file?.fd;
  }

  /** Whether a mapping of a container still uses the memory. */
  get isMapped(): boolean {
    return this.#users > 0;
  }

  #checkInUse(verb: string): void {
    if (this.#state === "in use") return;
    const when = this.#state === "gone" ? "" : " while it was mapped, and goes with the mapping";
    throw new ReferenceError(`Cannot ${verb} host memory: it was given back${when}`);
  }

  #hold(): Disposable {
    this.#checkInUse("map");
    this.#users += 1;
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        this.#users -= 1;
        if (this.#users === 0 && this.#state === "given up") this.#unmap();
      },
    };
  }

  /**
   * Gives the memory back now, and refuses where it cannot go now; a second time does nothing.
   *
   * @throws {ReferenceError} While a mapping uses it: the device could still write to it.
   * @throws {VfioError} If munmap fails.
   */
  free(): void {
    if (this.#users > 0) {
      throw new ReferenceError(
        `Cannot give back ${
          formatSize(this.size)
        } of host memory: it is still mapped for a device; ` +
          "dispose the mapping first",
      );
    }
    this[Symbol.dispose]();
  }

  /**
   * Detaches the views and gives the memory back: at once, or with the last mapping that uses it. A
   * second time does nothing.
   *
   * @throws {VfioError} If munmap fails.
   */
  [Symbol.dispose](): void {
    if (this.#state !== "in use") return;
    this.#state = "given up";
    this.#buffer?.transfer(0);
    this.#buffer = undefined;
    // This runs at the end of a scope too, maybe while the script's own error is on its way: an error
    // about a forgotten `using` of a mapping would hide that one. The device may still write here, so
    // the memory stays until its last mapping goes, with the container at the latest.
    if (this.#users === 0) this.#unmap();
  }

  #unmap(): void {
    this.#state = "gone";
    using stack = new DisposableStack();
    stack.use(this.#pages.retained);
    if (this.#pages.file !== undefined) stack.use(this.#pages.file);
    check(this.#kernel.munmap(this.address, this.size), "munmap", "give back host memory");
  }
}

/** Keeps memory from going back to the host until the result is disposed: each mapping does. */
export function holdMemory(memory: HostMemory): Disposable {
  return hold(memory);
}
