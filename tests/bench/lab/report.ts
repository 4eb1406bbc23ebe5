/** What the script in the guest tells the host. */

/** What a drain took, in milliseconds. */
export interface Parts {
  /** In the kernel: the ioctls. */
  readonly kernel: number;
  /** Finding the runs. */
  readonly scan: number;
  /** All else: zeroing, masking, planning, objects. */
  readonly rest: number;
}

/** The drains of one container. */
export interface DrainReport {
  /** What is dirty in it. */
  readonly kind: string;
  readonly gibibytes: number;
  /** Runs that a drain finds. */
  readonly runs: number;
  /** By round: ours with `runBatches()`, ours with `runs()`, and the better loop in C. */
  readonly batches: readonly Parts[];
  readonly objects: readonly Parts[];
  readonly native: readonly Parts[];
}

/** The event loop during drains of one container. */
export interface StallReport {
  /** How the container is mapped. */
  readonly layout: string;
  /** What the script does with a window. */
  readonly use: string;
  /** A read of one window by `drainAsync`, which starts the thread. */
  readonly start: Stall;
  /** By round: by `drain`, without a pause. */
  readonly plain: readonly Stall[];
  /** With a turn of the event loop between the windows. */
  readonly turning: readonly Stall[];
  /** By `drainAsync`, while its thread runs. */
  readonly threaded: readonly Stall[];
}

/** What one drain did to the event loop. */
export interface Stall {
  /** The longest that no timer could fire, in milliseconds. */
  readonly longest: number;
  /** How long the drain took, in milliseconds. */
  readonly took: number;
}

/** Everything. */
export interface LabReport {
  readonly drains: readonly DrainReport[];
  readonly stalls: readonly StallReport[];
  /** The longest stall while nothing is done, in milliseconds. */
  readonly idle: number;
}

/** All of it together, in milliseconds. */
export const whole = ({ kernel, scan, rest }: Parts): number => kernel + scan + rest;

/** Reads of a page table's dirty bits, in milliseconds, in turns. */
export interface TableReport {
  readonly gibibytes: number;
  readonly runs: number;
  readonly ours: number[];
  readonly native: number[];
}
