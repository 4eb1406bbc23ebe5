/**
 * Linux itself: the {@link Kernel} that calls libc. This is the only dlopen of the package.
 *
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import {
  KCMP_FILE,
  MADV_DONTNEED,
  MADV_HUGEPAGE,
  O_CLOEXEC,
  O_DIRECTORY,
  O_RDONLY,
  SYS_KCMP,
} from "./constant.ts";
import { cString, entryNames, pollAnswers, pollSet, u64 } from "./wire.ts";
import { type Library, openLibrary } from "./symbols.ts";
import { ThreadPool } from "./thread.ts";
import {
  type AsideCall,
  type AsideRequest,
  type Kernel,
  type MemoryAdvice,
  type PollRequest,
  type ResourceLimit,
  UNLIMITED,
  type ViewAddress,
} from "./kernel.ts";

const MAP_FAILED = 0xffff_ffff_ffff_ffffn;
const PATH_MAX = 4096;
/** The largest page that a processor of ours may have as its smallest: 64 KiB, on arm64. */
const PAGE = 65536n;

const decoder = new TextDecoder();

class Linux implements Kernel {
  readonly name = "linux";
  #library: Library | undefined;
  // What each call needs, at hand: a getter here would cost more than all else in a call.
  #f: Library["f"] | undefined;
  #errno: Library["errno"] = new Int32Array(1);
  #users = 0;
  readonly #threads = new ThreadPool();

  #load(): Library["f"] {
    this.#library = openLibrary();
    this.#f = this.#library.f;
    this.#errno = this.#library.errno;
    return this.#f;
  }

  retain(): Disposable {
    if (this.#f === undefined) this.#load(); // so that a missing libc or permission shows here
    this.#users += 1;
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        this.#users -= 1;
        if (this.#users > 0) return;
        this.#threads[Symbol.dispose]();
        this.#library?.close();
        this.#library = undefined;
        this.#f = undefined;
      },
    };
  }

  // In each call below errno is read in the same function, with nothing between: an allocation or
  // a garbage collection in the gap may make another libc call on this thread.

  open(path: string, flags: number): number {
    const f = this.#f ?? this.#load();
    const name = cString(path);
    const r = f.open(name, flags | O_CLOEXEC);
    return r === -1 ? -this.#errno[0]! : r;
  }

  close(fd: number): number {
    const f = this.#f ?? this.#load();
    const r = f.close(fd);
    return r === -1 ? -this.#errno[0]! : r;
  }

  ioctl(fd: number, request: number): number {
    const f = this.#f ?? this.#load();
    const r = f.ioctl(fd, request);
    return r === -1 ? -this.#errno[0]! : r;
  }

  ioctlValue(fd: number, request: number, value: bigint): number {
    const f = this.#f ?? this.#load();
    const r = f.ioctlValue(fd, request, value);
    return r === -1 ? -this.#errno[0]! : r;
  }

  ioctlBuffer(fd: number, request: number, argument: Uint8Array): number {
    const f = this.#f ?? this.#load();
    const r = f.ioctlBuffer(fd, request, argument as Uint8Array<ArrayBuffer>);
    return r === -1 ? -this.#errno[0]! : r;
  }

  ioctlAside(request: AsideRequest): AsideCall {
    return this.#threads.call(request);
  }

  read(fd: number, into: Uint8Array): number {
    const f = this.#f ?? this.#load();
    const r = f.read(fd, into as Uint8Array<ArrayBuffer>, BigInt(into.byteLength));
    return r === -1n ? -this.#errno[0]! : Number(r);
  }

  write(fd: number, from: Uint8Array): number {
    const f = this.#f ?? this.#load();
    const r = f.write(fd, from as Uint8Array<ArrayBuffer>, BigInt(from.byteLength));
    return r === -1n ? -this.#errno[0]! : Number(r);
  }

  pread(fd: number, into: Uint8Array, offset: bigint): number {
    const f = this.#f ?? this.#load();
    const r = f.pread(fd, into as Uint8Array<ArrayBuffer>, BigInt(into.byteLength), offset);
    return r === -1n ? -this.#errno[0]! : Number(r);
  }

  pwrite(fd: number, from: Uint8Array, offset: bigint): number {
    const f = this.#f ?? this.#load();
    const r = f.pwrite(fd, from as Uint8Array<ArrayBuffer>, BigInt(from.byteLength), offset);
    return r === -1n ? -this.#errno[0]! : Number(r);
  }

  readlink(path: string): string | number {
    const f = this.#f ?? this.#load();
    const name = cString(path);
    const target = new Uint8Array(PATH_MAX);
    const r = f.readlink(name, target, BigInt(PATH_MAX));
    if (r === -1n) return -this.#errno[0]!;
    return decoder.decode(target.subarray(0, Number(r)));
  }

  list(path: string): string[] | number {
    const fd = this.open(path, O_RDONLY | O_DIRECTORY);
    if (fd < 0) return fd;
    try {
      const names: string[] = [];
      const chunk = new Uint8Array(32 << 10);
      for (;;) {
        const got = this.#entries(fd, chunk);
        if (got < 0) return got;
        if (got === 0) return names.sort();
        names.push(...entryNames(chunk.subarray(0, got)));
      }
    } finally {
      this.close(fd);
    }
  }

  #entries(fd: number, into: Uint8Array<ArrayBuffer>): number {
    const f = this.#f ?? this.#load();
    const r = f.getdents64(fd, into, BigInt(into.byteLength));
    return r === -1n ? -this.#errno[0]! : Number(r);
  }

  mmap(
    length: bigint,
    protection: number,
    flags: number,
    fd: number,
    offset: bigint,
  ): bigint | number {
    const f = this.#f ?? this.#load();
    const r = f.mmap(0n, length, protection, flags, fd, offset);
    return r === MAP_FAILED ? -this.#errno[0]! : r;
  }

  munmap(address: bigint, length: bigint): number {
    const f = this.#f ?? this.#load();
    const r = f.munmap(address, length);
    return r === -1 ? -this.#errno[0]! : r;
  }

  memfd(name: string, flags: number): number {
    const f = this.#f ?? this.#load();
    const text = cString(name);
    const r = f.memfd_create(text, flags);
    return r === -1 ? -this.#errno[0]! : r;
  }

  ftruncate(fd: number, length: bigint): number {
    const f = this.#f ?? this.#load();
    const r = f.ftruncate(fd, length);
    return r === -1 ? -this.#errno[0]! : r;
  }

  eventfd(initial: number, flags: number): number {
    const f = this.#f ?? this.#load();
    const r = f.eventfd(initial, flags);
    return r === -1 ? -this.#errno[0]! : r;
  }

  poll(requests: readonly PollRequest[], timeout: number): number[] | number {
    const set = pollSet(requests);
    const r = this.#poll(set, requests.length, timeout);
    if (r < 0) return r;
    return pollAnswers(set);
  }

  #poll(set: Uint8Array<ArrayBuffer>, count: number, timeout: number): number {
    const f = this.#f ?? this.#load();
    const r = f.poll(set, BigInt(count), timeout);
    return r === -1 ? -this.#errno[0]! : r;
  }

  prlimit(pid: number, resource: number, next?: ResourceLimit): ResourceLimit | number {
    const old = new Uint8Array(16);
    const wanted = next === undefined
      ? null
      : new Uint8Array(new BigUint64Array([next.soft, next.hard]).buffer);
    const r = this.#prlimit(pid, resource, wanted, old);
    return r < 0 ? r : { soft: u64(old, 0), hard: u64(old, 8) };
  }

  #prlimit(
    pid: number,
    resource: number,
    wanted: Uint8Array<ArrayBuffer> | null,
    old: Uint8Array<ArrayBuffer>,
  ): number {
    const f = this.#f ?? this.#load();
    const r = f.prlimit(pid, resource, wanted, old);
    return r === -1 ? -this.#errno[0]! : r;
  }

  sameFile(pidA: number, fdA: number, pidB: number, fdB: number): number {
    const f = this.#f ?? this.#load();
    const [call, a, b] = [BigInt(SYS_KCMP), BigInt(pidA), BigInt(pidB)];
    const r = f.syscall(call, a, b, BigInt(KCMP_FILE), BigInt(fdA), BigInt(fdB));
    return r === -1n ? -this.#errno[0]! : Number(r);
  }

  allocate(size: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(size);
  }

  addressOf(view: Uint8Array): ViewAddress {
    if (view.byteLength === 0) return { address: 0n, owner: view };
    const pointer = Deno.UnsafePointer.of(view as Uint8Array<ArrayBuffer>);
    return { address: Deno.UnsafePointer.value(pointer), owner: view };
  }

  advise({ address, owner }: ViewAddress, advice: MemoryAdvice): void {
    // A page that is only half of the view has something else of this process in it.
    const from = (address + PAGE - 1n) / PAGE * PAGE;
    const end = (address + BigInt(owner.byteLength)) / PAGE * PAGE;
    // A refusal, of a kernel without huge pages for one, changes nothing that anybody relies on.
    const how = advice === "huge" ? MADV_HUGEPAGE : MADV_DONTNEED;
    if (from < end) this.#f?.madvise(from, end - from, how);
  }

  viewOf(address: bigint, length: number): ArrayBuffer {
    const pointer = Deno.UnsafePointer.create(address);
    if (pointer === null) throw new ReferenceError("Cannot view memory at address 0");
    return Deno.UnsafePointerView.getArrayBuffer(pointer, length);
  }
}

/**
 * The running kernel, reached through libc. Nothing is loaded before the first call.
 *
 * This is the raw escape hatch: see {@link Kernel}.
 */
export const linux: Kernel = new Linux();

export { ERRNO, UNLIMITED };
