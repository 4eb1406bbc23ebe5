/**
 * What a trace consists of: plain data, one object a line. Numbers of 64 bits are hexadecimal texts,
 * bytes are {@link packBytes packed}.
 *
 * @module
 */

import type { FdKind } from "../uapi/decode.ts";

/** What a descriptor of a trace is. */
export type FileKind = FdKind | "eventfd" | "memory" | "text" | "other";

/** A number of 64 bits, as "0x1000". */
export type Hex = string;

/** The first line. */
export interface TraceHeader {
  /** "trace". */
  readonly pinscope: "trace";
  /** 1: another number is another form. */
  readonly version: 1;
  /** The name of the kernel's seam: "linux" or "model". */
  readonly kernel: string;
  /** What /proc says of the running kernel, as "6.12.95". */
  readonly release?: string;
}

/** What every line but the first has. */
interface Common {
  /** Counts from 0. */
  readonly seq: number;
  /** What the call gave; an error number is negative. */
  readonly result: number;
  /** The name of the error number. */
  readonly error?: string;
  /** The script has waited for something since the line before. */
  readonly waited?: boolean;
}

/** A call on a descriptor. */
interface OnFile extends Common {
  readonly fd: number;
  /** What it is. */
  readonly kind: FileKind;
}

/** open(2). */
export interface OpenRecord extends Common {
  readonly call: "open";
  readonly path: string;
  readonly flags: number;
  /** What a descriptor of that path is. */
  readonly kind: FileKind;
  /** The devices of a group, by which another host can find it. */
  readonly devices?: readonly string[];
}

/** close(2). */
export interface CloseRecord extends OnFile {
  readonly call: "close";
}

/** A pointer in the argument of an ioctl. */
export interface PointerRecord {
  /** Bytes from the start of the argument. */
  readonly at: number;
  /** The field, as "vaddr". */
  readonly field: string;
  /** The memory that it leads into, by its number in the trace; absent if none is known there. */
  readonly memory?: number;
  /** Bytes from the start of the memory. */
  readonly offset?: Hex;
  /** How many bytes the kernel may touch from there on. */
  readonly length: Hex;
  /** What stood there before, unless it was all zero. */
  readonly before?: string;
  /** What stood there after, if that could be read. */
  readonly after?: string;
}

/** A descriptor in the argument of an ioctl. */
export interface FdRecord {
  /** Bytes from the start of the argument. */
  readonly at: number;
  readonly fd: number;
  /** It was made by the call, and is one of these. */
  readonly made?: FileKind;
}

/** ioctl(2). */
export interface IoctlRecord extends OnFile {
  readonly call: "ioctl";
  /** The request's number, as "0x3b71". */
  readonly request: Hex;
  /** Its C name on that kind of descriptor. */
  readonly name: string;
  /** The argument's value, of a request that takes one. */
  readonly value?: Hex;
  /** All bytes that the argument's pointer led to, before the call. */
  readonly in?: string;
  /** The same after the call, if it changed them. */
  readonly out?: string;
  /** The fields before the call, to read: replay goes by the bytes. */
  readonly fields?: Readonly<Record<string, string>>;
  /** The fields that the call changed, to read. */
  readonly wrote?: Readonly<Record<string, string>>;
  readonly pointers?: readonly PointerRecord[];
  readonly fds?: readonly FdRecord[];
  /** The result is a new descriptor, and one of these. */
  readonly made?: FileKind;
}

/** read(2), write(2), pread(2) or pwrite(2). */
export interface TransferRecord extends OnFile {
  readonly call: "read" | "write" | "pread" | "pwrite";
  /** Bytes that were asked for. */
  readonly length: number;
  /** Of pread and pwrite. */
  readonly offset?: Hex;
  /** Bytes that were read or to be written. */
  readonly data?: string;
  /** The same of a file of /proc or /sys. */
  readonly text?: string;
}

/** readlink(2). */
export interface ReadlinkRecord extends Common {
  readonly call: "readlink";
  readonly path: string;
  readonly target?: string;
}

/** The names in a folder. */
export interface ListRecord extends Common {
  readonly call: "list";
  readonly path: string;
  readonly names?: readonly string[];
}

/** mmap(2). */
export interface MmapRecord extends OnFile {
  readonly call: "mmap";
  readonly length: Hex;
  readonly protection: number;
  readonly flags: number;
  readonly offset: Hex;
  /** The number of the memory in this trace. */
  readonly memory?: number;
  /** Where it was: another run has it elsewhere. */
  readonly address?: Hex;
}

/** Memory of the script itself that was given an address. */
export interface AddressRecord extends Common {
  readonly call: "address";
  readonly memory: number;
  readonly address: Hex;
  readonly length: Hex;
}

/** munmap(2). */
export interface MunmapRecord extends Common {
  readonly call: "munmap";
  readonly address: Hex;
  readonly length: Hex;
  readonly memory?: number;
  readonly offset?: Hex;
}

/** memfd_create(2). */
export interface MemfdRecord extends Common {
  readonly call: "memfd";
  readonly name: string;
  readonly flags: number;
}

/** ftruncate(2). */
export interface FtruncateRecord extends OnFile {
  readonly call: "ftruncate";
  readonly length: Hex;
}

/** eventfd(2). */
export interface EventfdRecord extends Common {
  readonly call: "eventfd";
  readonly initial: number;
  readonly flags: number;
}

/** poll(2). */
export interface PollRecord extends Common {
  readonly call: "poll";
  readonly requests: readonly { readonly fd: number; readonly events: number }[];
  readonly timeout: number;
  readonly events?: readonly number[];
}

/** A soft and a hard limit. */
export interface LimitRecord {
  readonly soft: Hex;
  readonly hard: Hex;
}

/** prlimit(2). */
export interface PrlimitRecord extends Common {
  readonly call: "prlimit";
  readonly pid: number;
  readonly resource: number;
  readonly next?: LimitRecord;
  readonly old?: LimitRecord;
}

/** kcmp(2). */
export interface SameFileRecord extends Common {
  readonly call: "sameFile";
  readonly pids: readonly number[];
  readonly fds: readonly number[];
}

/** One system call. */
export type TraceRecord =
  | OpenRecord
  | CloseRecord
  | IoctlRecord
  | TransferRecord
  | ReadlinkRecord
  | ListRecord
  | MmapRecord
  | AddressRecord
  | MunmapRecord
  | MemfdRecord
  | FtruncateRecord
  | EventfdRecord
  | PollRecord
  | PrlimitRecord
  | SameFileRecord;

/** One line of a trace. */
export type TraceLine = TraceHeader | TraceRecord;

/** Takes the lines of a trace one by one. */
export type TraceSink = (line: TraceLine) => void;

/** The kind that the decoder goes by; undefined where a descriptor has no requests of VFIO. */
export function fdKindOf(kind: FileKind): FdKind | undefined {
  switch (kind) {
    case "eventfd":
    case "memory":
    case "text":
    case "other":
      return undefined;
    default:
      return kind;
  }
}
