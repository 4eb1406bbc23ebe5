/**
 * Constants of libc calls on Linux, for x86-64 and arm64; where the two differ, it is said.
 *
 * @module
 */

/** Flags of open(2). @see include/uapi/asm-generic/fcntl.h */
export const O_RDONLY = 0;
/** Open for writing only. */
export const O_WRONLY = 1;
/** Open for reading and writing. */
export const O_RDWR = 2;
/** Of a disk: fail if something else claims it. */
export const O_EXCL = 0o200;
/** Do not wait. */
export const O_NONBLOCK = 0o4000;
/** Close on exec: every file of Pinscope is opened with it. */
export const O_CLOEXEC = 0o2000000;
/** Must be a folder: 0o200000 on x86-64, 0o40000 on arm64. */
export const O_DIRECTORY: number = Deno.build.arch === "aarch64" ? 0o40000 : 0o200000;

/** Protections of mmap(2). @see include/uapi/asm-generic/mman-common.h */
export const PROT_NONE = 0;
/** Pages may be read. */
export const PROT_READ = 1;
/** Pages may be written. */
export const PROT_WRITE = 2;
/** Share with other mappings of the file. */
export const MAP_SHARED = 0x01;
/** Copy on write. */
export const MAP_PRIVATE = 0x02;
/** No file behind the memory. */
export const MAP_ANONYMOUS = 0x20;
/** Reserve no swap: the memory is only touched where it is used. */
export const MAP_NORESERVE = 0x4000;
/** Huge pages of the default size, or of 2^n bytes with n in {@link MAP_HUGE_SHIFT}. */
export const MAP_HUGETLB = 0x40000;
/** Where the logarithm of the huge page size stands in the flags. */
export const MAP_HUGE_SHIFT = 26;

/** Advice of madvise(2): the content is of no use, and private memory reads as zero afterwards. */
export const MADV_DONTNEED = 4;
/** Huge pages are worth it here, where the system has them for who asks. */
export const MADV_HUGEPAGE = 14;

/** Close on exec, for memfd_create(2). */
export const MFD_CLOEXEC = 1;
/** Huge pages behind a memfd. */
export const MFD_HUGETLB = 4;
/** Close on exec, for eventfd(2). */
export const EFD_CLOEXEC = 0o2000000;
/** A read of an eventfd that has nothing gives EAGAIN. */
export const EFD_NONBLOCK = 0o4000;

/** There is something to read. */
export const POLLIN = 1;
/** An error on the file. */
export const POLLERR = 8;

/** The system call kcmp: 312 on x86-64, 272 on arm64. */
export const SYS_KCMP: number = Deno.build.arch === "aarch64" ? 272 : 312;
/** Compare open files. @see include/uapi/linux/kcmp.h */
export const KCMP_FILE = 0;

/** Bytes of locked memory; the resource of {@link Kernel.prlimit}. */
export const RLIMIT_MEMLOCK = 8;
