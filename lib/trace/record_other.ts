/**
 * Records of the calls that are not VFIO's own: memory, events, limits.
 *
 * @module
 */

import type { CallRecord, FileRecord, Hex } from "./record.ts";

/** mmap(2). */
export interface MmapRecord extends FileRecord {
  /** Which call. */
  readonly call: "mmap";
  /** Bytes. */
  readonly length: Hex;
  /** PROT_READ and others. */
  readonly protection: number;
  /** The flags, as the call takes them. */
  readonly flags: number;
  /** Bytes from the start of the file. */
  readonly offset: Hex;
  /** The number of the memory in this trace. */
  readonly memory?: number;
  /** Where it was: another run has it elsewhere. */
  readonly address?: Hex;
}

/** Memory of the script itself that was given an address. */
export interface AddressRecord extends CallRecord {
  /** Which call. */
  readonly call: "address";
  /** The number of the memory in this trace. */
  readonly memory: number;
  /** Where it was: another run has it elsewhere. */
  readonly address: Hex;
  /** Bytes. */
  readonly length: Hex;
}

/** munmap(2). */
export interface MunmapRecord extends CallRecord {
  /** Which call. */
  readonly call: "munmap";
  /** Where it was: another run has it elsewhere. */
  readonly address: Hex;
  /** Bytes. */
  readonly length: Hex;
  /** The number of the memory in this trace. */
  readonly memory?: number;
  /** Bytes from the start of the memory. */
  readonly offset?: Hex;
}

/** memfd_create(2). */
export interface MemfdRecord extends CallRecord {
  /** Which call. */
  readonly call: "memfd";
  /** The name. */
  readonly name: string;
  /** The flags, as the call takes them. */
  readonly flags: number;
}

/** ftruncate(2). */
export interface FtruncateRecord extends FileRecord {
  /** Which call. */
  readonly call: "ftruncate";
  /** Bytes. */
  readonly length: Hex;
}

/** eventfd(2). */
export interface EventfdRecord extends CallRecord {
  /** Which call. */
  readonly call: "eventfd";
  /** What the counter begins at. */
  readonly initial: number;
  /** The flags, as the call takes them. */
  readonly flags: number;
}

/** One descriptor that was waited for. */
export interface PollItem {
  /** The descriptor. */
  readonly fd: number;
  /** POLLIN and others. */
  readonly events: number;
}

/** poll(2). */
export interface PollRecord extends CallRecord {
  /** Which call. */
  readonly call: "poll";
  /** What was waited for. */
  readonly requests: readonly PollItem[];
  /** Milliseconds; -1 for ever. */
  readonly timeout: number;
  /** What came, one number a descriptor. */
  readonly events?: readonly number[];
}

/** A soft and a hard limit. */
export interface LimitRecord {
  /** What is enforced. */
  readonly soft: Hex;
  /** What the soft value may be raised to. */
  readonly hard: Hex;
}

/** prlimit(2). */
export interface PrlimitRecord extends CallRecord {
  /** Which call. */
  readonly call: "prlimit";
  /** The process; 0 is the script itself. */
  readonly pid: number;
  /** Which limit, as RLIMIT_MEMLOCK. */
  readonly resource: number;
  /** What it was set to. */
  readonly next?: LimitRecord;
  /** What it was before. */
  readonly old?: LimitRecord;
}

/** kcmp(2). */
export interface SameFileRecord extends CallRecord {
  /** Which call. */
  readonly call: "sameFile";
  /** The two processes. */
  readonly pids: readonly number[];
  /** A descriptor of each. */
  readonly fds: readonly number[];
}
