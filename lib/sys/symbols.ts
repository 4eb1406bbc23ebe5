import type { ThreadLibrary } from "./thread_main.ts";

/** The functions of libc that Pinscope calls, each with its C prototype. */

const SYMBOLS = {
  // int *__errno_location(void)
  __errno_location: { parameters: [], result: "pointer" },
  // int open(const char *path, int flags, ...)
  open: { parameters: ["buffer", "i32"], result: "i32" },
  // int close(int fd)
  close: { parameters: ["i32"], result: "i32" },
  // int ioctl(int fd, unsigned long request, ...): three faces, one a form of argument. The kernel
  // takes 32 bits of the request, and a number in a u32 slot stays on the fast path.
  ioctl: { name: "ioctl", parameters: ["i32", "u32"], result: "i32" },
  ioctlValue: { name: "ioctl", parameters: ["i32", "u32", "u64"], result: "i32" },
  ioctlBuffer: { name: "ioctl", parameters: ["i32", "u32", "buffer"], result: "i32" },
  // ssize_t read(int fd, void *buf, size_t count)
  read: { parameters: ["i32", "buffer", "u64"], result: "i64" },
  // ssize_t write(int fd, const void *buf, size_t count)
  write: { parameters: ["i32", "buffer", "u64"], result: "i64" },
  // ssize_t pread64(int fd, void *buf, size_t count, off64_t offset)
  pread: { name: "pread64", parameters: ["i32", "buffer", "u64", "u64"], result: "i64" },
  // ssize_t pwrite64(int fd, const void *buf, size_t count, off64_t offset)
  pwrite: { name: "pwrite64", parameters: ["i32", "buffer", "u64", "u64"], result: "i64" },
  // ssize_t readlink(const char *path, char *buf, size_t size)
  readlink: { parameters: ["buffer", "buffer", "u64"], result: "i64" },
  // ssize_t getdents64(int fd, void *dirp, size_t count)
  getdents64: { parameters: ["i32", "buffer", "u64"], result: "i64" },
  // void *mmap64(void *addr, size_t length, int prot, int flags, int fd, off64_t offset)
  mmap: {
    name: "mmap64",
    parameters: ["u64", "u64", "i32", "i32", "i32", "u64"],
    result: "u64",
  },
  // int munmap(void *addr, size_t length)
  munmap: { parameters: ["u64", "u64"], result: "i32" },
  // int madvise(void *addr, size_t length, int advice)
  madvise: { parameters: ["u64", "u64", "i32"], result: "i32" },
  // int memfd_create(const char *name, unsigned int flags)
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  // int ftruncate64(int fd, off64_t length)
  ftruncate: { name: "ftruncate64", parameters: ["i32", "u64"], result: "i32" },
  // int eventfd(unsigned int initval, int flags)
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  // int poll(struct pollfd *fds, nfds_t nfds, int timeout)
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32" },
  // int prlimit64(pid_t pid, int resource, const struct rlimit64 *new, struct rlimit64 *old)
  prlimit: {
    name: "prlimit64",
    parameters: ["i32", "i32", "buffer", "buffer"],
    result: "i32",
  },
  // long syscall(long number, ...): kcmp has no function of its own
  syscall: { parameters: ["i64", "i64", "i64", "i64", "u64", "u64"], result: "i64" },
} as const satisfies Deno.ForeignLibraryInterface;

/** What a thread for long calls opens: the same functions, and one to zero memory. */
const THREAD_SYMBOLS = {
  __errno_location: SYMBOLS.__errno_location,
  ioctlBuffer: SYMBOLS.ioctlBuffer,
  // void *memset(void *s, int c, size_t n)
  memset: { parameters: ["u64", "i32", "u64"], result: "u64" },
} as const satisfies Deno.ForeignLibraryInterface;

/** libc, opened: its functions, this thread's errno, and the way to close it. */
export interface Library {
  readonly f: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];
  readonly errno: Int32Array<ArrayBuffer>;
  close(): void;
}

/** The name that glibc, and musl where it is installed under it, goes by. */
const LIBC = "libc.so.6";

/** The library of a thread for long calls, as it is told to the thread. */
export const THREAD_LIBRARY: ThreadLibrary = { name: LIBC, symbols: THREAD_SYMBOLS };

/**
 * Opens libc.
 *
 * @param name Another library, for the test of what happens where libc is missing.
 * @throws {Deno.errors.NotCapable} Without `--allow-ffi`.
 * @throws {Error} Where there is no such library, as on another system than Linux.
 */
export function openLibrary(name: string = LIBC): Library {
  // Asked for first, so that an interactive run prompts once and in words.
  Deno.permissions.requestSync({ name: "ffi" });
  const library = dlopen(name);
  const location = library.symbols.__errno_location();
  if (location === null) throw new Error("Cannot use libc: it has no errno");
  const errno = new Int32Array(Deno.UnsafePointerView.getArrayBuffer(location, 4));
  return { f: library.symbols, errno, close: () => library.close() };
}

function dlopen(name: string): Deno.DynamicLibrary<typeof SYMBOLS> {
  try {
    return Deno.dlopen(name, SYMBOLS);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) {
      throw new Deno.errors.NotCapable(
        "Cannot call the kernel without --allow-ffi: run the script with deno run --allow-ffi",
        { cause },
      );
    }
    throw new Error(
      `Cannot load ${name} on ${Deno.build.os} ${Deno.build.arch}: Pinscope needs Linux with ` +
        "glibc; the built-in model kernel works everywhere",
      { cause },
    );
  }
}
