/**
 * The seam: every system call of Pinscope goes through a {@link Kernel}. `libc.ts` is the real one,
 * `lib/model` one in memory.
 *
 * Each call returns a value of at least 0, or a negative error number. This layer is raw: it checks
 * no argument, and an ioctl reads and writes as many bytes as the struct claims. Scripts use the
 * objects of the package instead.
 *
 * @module
 */

/** The soft and hard value of a resource limit; {@link UNLIMITED} for none. */
export interface ResourceLimit {
  /** What is enforced. */
  readonly soft: bigint;
  /** What the soft value may be raised to. */
  readonly hard: bigint;
}

/** One file to wait for in {@link Kernel.poll}. */
export interface PollRequest {
  /** The file. */
  readonly fd: number;
  /** POLLIN and others. */
  readonly events: number;
}

/** The address of a view's first byte. Whoever keeps it keeps the view alive. */
export interface ViewAddress {
  /** User address of the first byte. */
  readonly address: bigint;
  /** What must stay alive. */
  readonly owner: Uint8Array;
}

/** How a part of memory will be used: much and often, or its content is of no use any more. */
export type MemoryAdvice = "huge" | "done";

/** An ioctl that is to be made where it does not hold up this thread. */
export interface AsideRequest {
  /** The file. */
  readonly fd: number;
  /** The request's number. */
  readonly request: number;
  /** The struct; a copy is passed, so that nothing comes back in it. */
  readonly argument: Uint8Array;
  /** Memory to zero before the call, which the struct points at. It is not to be touched meanwhile. */
  readonly clear: Uint8Array<ArrayBuffer>;
}

/** What came of it. */
export interface AsideResult {
  /** What the call returned: a value, or a negative error number. */
  readonly result: number;
  /** How long the call took. */
  readonly milliseconds: number;
}

/** A call that is under way. */
export interface AsideCall {
  /** Settles when the call is done. */
  readonly done: Promise<AsideResult>;
  /** Whether it was done at once, and nobody needs to wait. */
  readonly isDone?: boolean;
  /** Waits for it on the spot, as long as it takes. */
  wait(): AsideResult;
}

/** Every system call that Pinscope makes, and the memory that the kernel sees. */
export interface Kernel {
  /** What answers: "linux" or the name of a model. */
  readonly name: string;

  /** Keeps the kernel's resources open until the result is disposed. */
  retain(): Disposable;

  /** open(2), always with O_CLOEXEC. */
  open(path: string, flags: number): number;
  /** close(2). */
  close(fd: number): number;
  /** ioctl without an argument. */
  ioctl(fd: number, request: number): number;
  /** ioctl whose argument is a value. */
  ioctlValue(fd: number, request: number, value: bigint): number;
  /** ioctl whose argument points at `argument`; a view of 0 bytes is a NULL pointer. */
  ioctlBuffer(fd: number, request: number, argument: Uint8Array): number;
  /** The same on a thread of its own, for a call that may take long; in a model, at once. */
  ioctlAside(request: AsideRequest): AsideCall;
  /** read(2). */
  read(fd: number, into: Uint8Array): number;
  /** write(2). */
  write(fd: number, from: Uint8Array): number;
  /** pread(2). */
  pread(fd: number, into: Uint8Array, offset: bigint): number;
  /** pwrite(2). */
  pwrite(fd: number, from: Uint8Array, offset: bigint): number;
  /** The target of a symbolic link, or -errno. */
  readlink(path: string): string | number;
  /** The names in a folder, sorted, without "." and "..", or -errno. */
  list(path: string): string[] | number;
  /** The address, or -errno: the two are told apart by their types. */
  mmap(
    length: bigint,
    protection: number,
    flags: number,
    fd: number,
    offset: bigint,
  ): bigint | number;
  /** munmap(2). Views of the memory must be detached before. */
  munmap(address: bigint, length: bigint): number;
  /** memfd_create(2). */
  memfd(name: string, flags: number): number;
  /** ftruncate(2). */
  ftruncate(fd: number, length: bigint): number;
  /** eventfd(2). */
  eventfd(initial: number, flags: number): number;
  /** Waits at most `timeout` milliseconds (-1: for ever); gives the events of each, or -errno. */
  poll(requests: readonly PollRequest[], timeout: number): number[] | number;
  /** Reads, and with `next` sets, a limit of a process (0: this one); gives the old one, or -errno. */
  prlimit(pid: number, resource: number, next?: ResourceLimit): ResourceLimit | number;

  /**
   * Whether two descriptors, of this or of other processes, are the same open file: kcmp(2). Gives 0
   * if they are, more if not, or -errno.
   */
  sameFile(pidA: number, fdA: number, pidB: number, fdB: number): number;

  /** Memory that nothing else holds, zeroed. Its address: {@link addressOf}. */
  allocate(size: number): Uint8Array<ArrayBuffer>;
  /** Where a view lies. Valid while the result, or the view, is alive. */
  addressOf(view: Uint8Array): ViewAddress;

  /**
   * Tells how memory will be used. Best effort: nothing depends on it but speed and room. Only whole
   * pages inside the view are meant; after "done" they read as zero, and take no room until written.
   *
   * @see mm/madvise.c, MADV_HUGEPAGE and MADV_DONTNEED
   */
  advise?(memory: ViewAddress, advice: MemoryAdvice): void;
  /** The bytes at an address that {@link mmap} gave. Detach it before munmap. */
  viewOf(address: bigint, length: number): ArrayBuffer;
}

/** No limit, as RLIM_INFINITY. */
export const UNLIMITED = 0xffff_ffff_ffff_ffffn;
