/**
 * What a trace consists of: plain data, one object a line. Numbers of 64 bits are hexadecimal texts,
 * bytes are {@link packBytes packed}.
 *
 * @module
 */

import type { FdKind } from "../uapi/decode.ts";
import type {
  AddressRecord,
  EventfdRecord,
  FtruncateRecord,
  MemfdRecord,
  MmapRecord,
  MunmapRecord,
  PollRecord,
  PrlimitRecord,
  SameFileRecord,
} from "./record_other.ts";

export type * from "./record_other.ts";

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
export interface CallRecord {
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
export interface FileRecord extends CallRecord {
  /** The descriptor, by its number in the recorded process. */
  readonly fd: number;
  /** What it is. */
  readonly kind: FileKind;
}

/** open(2). */
export interface OpenRecord extends CallRecord {
  /** Which call. */
  readonly call: "open";
  /** The path. */
  readonly path: string;
  /** The flags, as the call takes them. */
  readonly flags: number;
  /** What a descriptor of that path is. */
  readonly kind: FileKind;
  /** The devices of a group, by which another host can find it. */
  readonly devices?: readonly string[];
}

/** close(2). */
export interface CloseRecord extends FileRecord {
  /** Which call. */
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
  /** The descriptor, by its number in the recorded process. */
  readonly fd: number;
  /** It was made by the call, and is one of these. */
  readonly made?: FileKind;
}

/** ioctl(2). */
export interface IoctlRecord extends FileRecord {
  /** Which call. */
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
  /** Addresses in the argument. */
  readonly pointers?: readonly PointerRecord[];
  /** Descriptors in the argument. */
  readonly fds?: readonly FdRecord[];
  /** The result is a new descriptor, and one of these. */
  readonly made?: FileKind;
}

/** read(2), write(2), pread(2) or pwrite(2). */
export interface TransferRecord extends FileRecord {
  /** Which call. */
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
export interface ReadlinkRecord extends CallRecord {
  /** Which call. */
  readonly call: "readlink";
  /** The path. */
  readonly path: string;
  /** Where it leads. */
  readonly target?: string;
}

/** The names in a folder. */
export interface ListRecord extends CallRecord {
  /** Which call. */
  readonly call: "list";
  /** The path. */
  readonly path: string;
  /** The names, sorted. */
  readonly names?: readonly string[];
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
