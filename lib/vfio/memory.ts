import { check } from "../base/error.ts";
import { formatSize, hex } from "../base/format.ts";
import { isAligned } from "../base/page.ts";
import {
  MAP_ANONYMOUS,
  MAP_HUGE_SHIFT,
  MAP_HUGETLB,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MAP_SHARED,
  MFD_CLOEXEC,
  MFD_HUGETLB,
  PROT_READ,
  PROT_WRITE,
} from "../sys/constant.ts";
import type { Kernel } from "../sys/kernel.ts";
import { OwnedFd } from "../sys/owned_fd.ts";

/** How to get host memory. */
export interface MemoryOptions {
  /** `anonymous` (the default) is private to the process; a `memfd` can be shared by its fd. */
  readonly backing?: "anonymous" | "memfd";
  /** Use huge pages of this many bytes, as 2 MiB or 1 GiB; they must have been reserved. */
  readonly hugePageSize?: bigint;
}

/** Smallest host page of x86-64 and arm64; the container's page size is checked at map. */
const HOST_PAGE = 4096n;

/**
 * Host memory that a device may reach: mmap'd, so that it stays where it is.
 *
 * Give it back with `using` or dispose. That detaches {@link HostMemory.bytes} first: a view kept
 * beyond it is empty, instead of reading memory that is gone.
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
  readonly #retained: Disposable;
  readonly #file: OwnedFd | undefined;
  #buffer: ArrayBuffer | undefined;
  #users = 0;
  #disposed = false;

  private constructor(
    kernel: Kernel,
    retained: Disposable,
    size: bigint,
    address: bigint,
    file: OwnedFd | undefined,
  ) {
    this.#kernel = kernel;
    this.#retained = retained;
    this.#file = file;
    this.address = address;
    this.size = size;
  }

  /**
   * Takes zeroed memory from the host.
   *
   * @param kernel Where to allocate; `container.allocate` fills it in.
   * @param size Bytes: a multiple of 4096, or of the huge page size.
   * @throws {RangeError} If the size is 0, negative, or no such multiple.
   * @throws {VfioError} ENOMEM, where the host has not enough memory or huge pages.
   * @see mm/mmap.c, ksys_mmap_pgoff
   */
  static allocate(kernel: Kernel, size: bigint, options: MemoryOptions = {}): HostMemory {
    const unit = options.hugePageSize ?? HOST_PAGE;
    if (unit < HOST_PAGE || (unit & (unit - 1n)) !== 0n) {
      throw new RangeError(`A huge page size is a power of two above 4096; got ${unit}`);
    }
    if (size <= 0n || !isAligned(size, unit)) {
      throw new RangeError(
        `The size of memory must be a multiple of ${hex(unit)} and more than 0; got ${
          size < 0n ? size : hex(size)
        }`,
      );
    }
    using stack = new DisposableStack();
    const retained = stack.use(kernel.retain());
    const huge = options.hugePageSize;
    const file = options.backing === "memfd" ? memfd(kernel, size, huge) : undefined;
    if (file !== undefined) stack.use(file);
    const kind = file === undefined ? MAP_PRIVATE | MAP_ANONYMOUS | hugeFlags(huge) : MAP_SHARED;
    const flags = kind | (huge === undefined ? MAP_NORESERVE : 0);
    const address = kernel.mmap(size, PROT_READ | PROT_WRITE, flags, file?.fd ?? -1, 0n);
    if (typeof address === "number") check(address, "mmap", action(size), noMemory(huge));
    stack.move(); // from here on the memory owns what was taken
    return new HostMemory(kernel, retained, size, BigInt(address), file);
  }

  /**
   * All of the memory as bytes. Device and processor share it: a value that the device changes is
   * read with `Atomics.load`.
   *
   * @throws {ReferenceError} After dispose.
   */
  get bytes(): Uint8Array<ArrayBuffer> {
    if (this.#disposed) throw new ReferenceError("Cannot use host memory: it was given back");
    this.#buffer ??= this.#kernel.viewOf(this.address, Number(this.size));
    return new Uint8Array(this.#buffer);
  }

  /** The file behind memory with `backing: "memfd"`, to hand to another process. */
  get fd(): number | undefined {
    return this.#file?.fd;
  }

  /** Whether a mapping of a container still uses the memory. */
  get isMapped(): boolean {
    return this.#users > 0;
  }

  /** Keeps the memory from being disposed until the result is: each mapping does. */
  hold(): Disposable {
    if (this.#disposed) throw new ReferenceError("Cannot map host memory: it was given back");
    this.#users += 1;
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (held) this.#users -= 1;
        held = false;
      },
    };
  }

  /**
   * Detaches the view and gives the memory back; a second time does nothing.
   *
   * @throws {ReferenceError} While a mapping uses it: the device could still write to it.
   */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    if (this.#users > 0) {
      throw new ReferenceError(
        `Cannot give back ${formatSize(this.size)} of host memory: a container still maps it; ` +
          "dispose the mapping first",
      );
    }
    this.#disposed = true;
    using stack = new DisposableStack();
    stack.use(this.#retained);
    if (this.#file !== undefined) stack.use(this.#file);
    this.#buffer?.transfer(0);
    this.#buffer = undefined;
    check(this.#kernel.munmap(this.address, this.size), "munmap", "give back host memory");
  }
}

const action = (size: bigint): string => `allocate ${formatSize(size)} of host memory`;

function hugeFlags(size: bigint | undefined): number {
  if (size === undefined) return 0;
  return MAP_HUGETLB | (size.toString(2).length - 1) << MAP_HUGE_SHIFT;
}

function noMemory(huge: bigint | undefined): string | undefined {
  if (huge === undefined) return undefined;
  const kilobytes = huge >> 10n;
  return "there are not enough free huge pages; reserve some in " +
    `/sys/kernel/mm/hugepages/hugepages-${kilobytes}kB/nr_hugepages`;
}

function memfd(kernel: Kernel, size: bigint, huge: bigint | undefined): OwnedFd {
  // The huge page flags of memfd_create stand at the same places as those of mmap.
  const pages = huge === undefined ? 0 : hugeFlags(huge) & ~MAP_HUGETLB | MFD_HUGETLB;
  const fd = check(kernel.memfd("pinscope", MFD_CLOEXEC | pages), "memfd_create", action(size));
  const file = new OwnedFd(kernel, fd, "the memory's file");
  try {
    check(kernel.ftruncate(fd, size), "ftruncate", action(size), noMemory(huge));
    return file;
  } catch (error) {
    file[Symbol.dispose]();
    throw error;
  }
}
