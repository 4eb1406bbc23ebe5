import { hex } from "../base/format.ts";
import { asideHere } from "../sys/aside_here.ts";
import type {
  AsideCall,
  AsideRequest,
  Kernel,
  MemoryAdvice,
  PollRequest,
  ResourceLimit,
  ViewAddress,
} from "../sys/kernel.ts";
import { Teller } from "./teller.ts";
import { packBytes } from "./bytes.ts";
import { groupDevices, groupNode, kindAfter, kindOfPath, madeBy } from "./files.ts";
import { afterIoctl, type ArgumentParts, beforeIoctl, fieldsOf, nameOf } from "./ioctl.ts";
import { type BackingFile, MemoryTable } from "./memory_table.ts";
import type { FileKind, LimitRecord, TraceSink, TransferRecord } from "./record.ts";

/**
 * Puts a witness before a kernel: every system call through the result is told to `sink`, decoded,
 * after it was made. The calls themselves are not changed.
 *
 * Stores into mapped memory and registers are no system calls, so a trace does not have them; of
 * memory it holds what requests read and write through pointers, as bitmaps are.
 *
 * @example A session, and what it consists of
 * ```ts
 * import { Container } from "@pinscope/vfio";
 * import { ModelKernel } from "@pinscope/vfio/model";
 * import { isRecord, type TraceRecord, tracing } from "@pinscope/vfio/trace";
 *
 * const records: TraceRecord[] = [];
 * const kernel = tracing(new ModelKernel(), (line) => {
 *   if (isRecord(line)) records.push(line);
 * });
 * {
 *   using container = Container.open({ kernel });
 *   using _group = container.attach("0000:00:10.0");
 * }
 * const names = records.flatMap((record) => record.call === "ioctl" ? [record.name] : []);
 * if (!names.includes("VFIO_GROUP_SET_CONTAINER")) throw new Error("the group was attached");
 * ```
 *
 * @param kernel What answers.
 * @param sink Takes the lines; it must not throw, for what the call gave would be lost.
 * @returns A kernel that does the same.
 */
export function tracing(kernel: Kernel, sink: TraceSink): Kernel {
  return new Tracer(kernel, sink);
}

/** An open file. */
interface TracedFile extends BackingFile {
  kind: FileKind;
}

const limitOf = ({ soft, hard }: ResourceLimit): LimitRecord => ({
  soft: hex(soft),
  hard: hex(hard),
});
const numberOr0 = (value: unknown): number => typeof value === "number" ? value : 0;

class Tracer implements Kernel {
  readonly name: string;
  readonly #kernel: Kernel;
  readonly #teller: Teller;
  readonly #files = new Map<number, TracedFile>();
  readonly #memory: MemoryTable;

  constructor(kernel: Kernel, sink: TraceSink) {
    this.name = kernel.name;
    this.#kernel = kernel;
    this.#teller = new Teller(kernel, sink);
    this.#memory = new MemoryTable(kernel);
  }

  #kind(fd: number): FileKind {
    return this.#files.get(fd)?.kind ?? "other";
  }

  #made(fd: number, kind: FileKind): void {
    if (fd >= 0) this.#files.set(fd, { kind });
  }

  retain(): Disposable {
    return this.#kernel.retain();
  }

  open(path: string, flags: number): number {
    const result = this.#kernel.open(path, flags);
    const kind = kindOfPath(path);
    const group = result < 0 ? undefined : groupNode(path);
    const devices = group === undefined ? {} : {
      devices: groupDevices(this.#kernel, group.number),
    };
    this.#made(result, kind);
    this.#teller.tell({ call: "open", path, flags, kind, ...devices, result });
    return result;
  }

  close(fd: number): number {
    const kind = this.#kind(fd);
    const result = this.#kernel.close(fd);
    if (result >= 0) this.#files.delete(fd);
    this.#teller.tell({ call: "close", fd, kind, result });
    return result;
  }

  ioctl(fd: number, request: number): number {
    const result = this.#kernel.ioctl(fd, request);
    this.#ioctl(fd, request, result, {});
    return result;
  }

  ioctlValue(fd: number, request: number, value: bigint): number {
    const kind = this.#kind(fd);
    const result = this.#kernel.ioctlValue(fd, request, value);
    const fields = fieldsOf(kind, request, Number(value));
    this.#ioctl(fd, request, result, { value: hex(BigInt.asUintN(64, value)), fields });
    const file = this.#files.get(fd);
    if (result >= 0 && file !== undefined) file.kind = kindAfter(kind, request, value);
    return result;
  }

  ioctlBuffer(fd: number, request: number, argument: Uint8Array): number {
    const start = beforeIoctl(this.#kind(fd), request, argument, this.#memory);
    const result = this.#kernel.ioctlBuffer(fd, request, argument);
    const parts = afterIoctl(start, argument, this.#memory);
    if (result >= 0) {
      for (const { fd: made, made: kind } of parts.fds ?? []) {
        if (kind !== undefined) this.#made(made, kind);
      }
    }
    const made = result < 0 ? undefined : madeBy(start.kind, request, start.input);
    this.#ioctl(fd, request, result, made === undefined ? parts : { ...parts, made });
    if (made !== undefined) this.#made(result, made);
    return result;
  }

  /** In this thread, so that the records stand in the order of the calls. */
  ioctlAside(request: AsideRequest): AsideCall {
    return asideHere(this, request);
  }

  #ioctl(
    fd: number,
    request: number,
    result: number,
    rest: Partial<ArgumentParts> & { readonly value?: string; readonly made?: FileKind },
  ): void {
    const kind = this.#kind(fd);
    const name = nameOf(kind, request);
    this.#teller.tell({
      call: "ioctl",
      fd,
      kind,
      request: hex(request >>> 0),
      name,
      ...rest,
      result,
    });
  }

  read(fd: number, into: Uint8Array): number {
    return this.#transferred("read", fd, into, this.#kernel.read(fd, into));
  }

  write(fd: number, from: Uint8Array): number {
    return this.#transferred("write", fd, from, this.#kernel.write(fd, from));
  }

  pread(fd: number, into: Uint8Array, offset: bigint): number {
    const result = this.#kernel.pread(fd, into, offset);
    return this.#transferred("pread", fd, into, result, offset);
  }

  pwrite(fd: number, from: Uint8Array, offset: bigint): number {
    const result = this.#kernel.pwrite(fd, from, offset);
    return this.#transferred("pwrite", fd, from, result, offset);
  }

  #transferred(
    call: TransferRecord["call"],
    fd: number,
    bytes: Uint8Array,
    result: number,
    offset?: bigint,
  ): number {
    const kind = this.#kind(fd);
    const reads = call === "read" || call === "pread";
    const moved = bytes.slice(0, reads ? Math.max(0, result) : bytes.length);
    const data = kind === "text"
      ? { text: new TextDecoder().decode(moved) }
      : moved.length === 0
      ? {}
      : { data: packBytes(moved) };
    const at = offset === undefined ? {} : { offset: hex(BigInt.asUintN(64, offset)) };
    this.#teller.tell({ call, fd, kind, length: bytes.length, ...at, ...data, result });
    return result;
  }

  readlink(path: string): string | number {
    const target = this.#kernel.readlink(path);
    const result = numberOr0(target);
    const known = typeof target === "string" ? { target } : {};
    this.#teller.tell({ call: "readlink", path, ...known, result });
    return target;
  }

  list(path: string): string[] | number {
    const names = this.#kernel.list(path);
    const result = numberOr0(names);
    this.#teller.tell({
      call: "list",
      path,
      ...typeof names === "number" ? {} : { names },
      result,
    });
    return names;
  }

  mmap(
    length: bigint,
    protection: number,
    flags: number,
    fd: number,
    offset: bigint,
  ): bigint | number {
    const address = this.#kernel.mmap(length, protection, flags, fd, offset);
    const file = this.#files.get(fd);
    const given = { length: hex(length), protection, flags, fd, kind: this.#kind(fd) };
    const asked = { call: "mmap", ...given, offset: hex(offset) } as const;
    if (typeof address === "number") {
      this.#teller.tell({ ...asked, result: address });
      return address;
    }
    // Looking at a device's registers could change them: only a memfd tells how long it is.
    const { id } = this.#memory.map(address, { length, protection, flags, offset, file });
    this.#teller.tell({ ...asked, memory: id, address: hex(address), result: 0 });
    return address;
  }

  munmap(address: bigint, length: bigint): number {
    const place = this.#memory.findLast(address);
    const result = this.#kernel.munmap(address, length);
    const known = place === undefined ? {} : { memory: place.memory.id, offset: hex(place.offset) };
    if (result >= 0) this.#memory.unmap(address, length);
    this.#teller.tell({
      call: "munmap",
      address: hex(address),
      length: hex(length),
      ...known,
      result,
    });
    return result;
  }

  memfd(name: string, flags: number): number {
    const result = this.#kernel.memfd(name, flags);
    if (result >= 0) this.#files.set(result, { kind: "memory", size: 0n });
    this.#teller.tell({ call: "memfd", name, flags, result });
    return result;
  }

  ftruncate(fd: number, length: bigint): number {
    const result = this.#kernel.ftruncate(fd, length);
    const file = this.#files.get(fd);
    if (result >= 0 && file?.kind === "memory") file.size = length;
    this.#teller.tell({ call: "ftruncate", fd, kind: this.#kind(fd), length: hex(length), result });
    return result;
  }

  eventfd(initial: number, flags: number): number {
    const result = this.#kernel.eventfd(initial, flags);
    this.#made(result, "eventfd");
    this.#teller.tell({ call: "eventfd", initial, flags, result });
    return result;
  }

  poll(requests: readonly PollRequest[], timeout: number): number[] | number {
    const events = this.#kernel.poll(requests, timeout);
    const asked = requests.map(({ fd, events }) => ({ fd, events }));
    const known = typeof events === "number" ? {} : { events };
    this.#teller.tell({
      call: "poll",
      requests: asked,
      timeout,
      ...known,
      result: numberOr0(events),
    });
    return events;
  }

  prlimit(pid: number, resource: number, next?: ResourceLimit): ResourceLimit | number {
    const old = this.#kernel.prlimit(pid, resource, next);
    const asked = { pid, resource, ...next === undefined ? {} : { next: limitOf(next) } };
    const known = typeof old === "number" ? {} : { old: limitOf(old) };
    this.#teller.tell({ call: "prlimit", ...asked, ...known, result: numberOr0(old) });
    return old;
  }

  sameFile(pidA: number, fdA: number, pidB: number, fdB: number): number {
    const result = this.#kernel.sameFile(pidA, fdA, pidB, fdB);
    this.#teller.tell({ call: "sameFile", pids: [pidA, pidB], fds: [fdA, fdB], result });
    return result;
  }

  allocate(size: number): Uint8Array<ArrayBuffer> {
    return this.#kernel.allocate(size);
  }

  addressOf(view: Uint8Array): ViewAddress {
    const given = this.#kernel.addressOf(view);
    if (view.byteLength === 0) return given;
    const { memory, isNew } = this.#memory.lend(view, given.address);
    const { id, address, length } = memory;
    const place = { memory: id, address: hex(address), length: hex(length) };
    if (isNew) this.#teller.tell({ call: "address", ...place, result: 0 });
    return given;
  }

  /** Not told: nothing that a replay could compare depends on it. */
  advise(memory: ViewAddress, advice: MemoryAdvice): void {
    this.#kernel.advise?.(memory, advice);
  }

  viewOf(address: bigint, length: number): ArrayBuffer {
    const view = this.#kernel.viewOf(address, length);
    this.#memory.viewed(address, view);
    return view;
  }
}
