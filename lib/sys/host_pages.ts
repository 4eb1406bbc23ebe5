/**
 * Pages of this process: mmap, huge pages, and files in memory.
 *
 * @see mm/mmap.c, ksys_mmap_pgoff; mm/memfd.c
 * @module
 */

import { checkKind, checkOptions, type Kinds } from "../base/argument.ts";
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
} from "./constant.ts";
import type { Kernel } from "./kernel.ts";
import { OwnedFd } from "./owned_fd.ts";

/** How to get host memory. */
export interface MemoryOptions {
  /** `anonymous` (the default) is private to the process; a `memfd` can be shared by its fd. */
  readonly backing?: "anonymous" | "memfd";
  /** Use huge pages of this many bytes, as 2 MiB or 1 GiB; they must have been reserved. */
  readonly hugePageSize?: bigint;
}

/** What was taken, for its owner to give back. */
export interface HostPages {
  /** User address of the first byte. */
  readonly address: bigint;
  /** The file behind them, for a memfd. */
  readonly file: OwnedFd | undefined;
  /** Keeps libc loaded: munmap needs it. */
  readonly retained: Disposable;
}

/** Smallest host page of x86-64 and arm64; the container's page size is checked at map. */
const HOST_PAGE = 4096n;

const OPTIONS: Kinds<MemoryOptions> = {
  backing: ["anonymous", "memfd"],
  hugePageSize: "bigint",
};

/** Takes zeroed pages; see `HostMemory.allocate`. */
export function takePages(kernel: Kernel, size: bigint, given?: MemoryOptions): HostPages {
  checkKind("size", size, "bigint");
  const options = checkOptions(given, OPTIONS);
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
  stack.move(); // from here on the caller owns what was taken
  return { address: BigInt(address), file, retained };
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
