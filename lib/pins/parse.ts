/**
 * The counters of /proc that tell what a process has locked.
 *
 * @module
 */

/** What `/proc/<pid>/status` says about locked memory. */
export interface StatusCounters {
  /** VmLck in bytes: mlock, and every page that type1 has pinned for the process. */
  readonly locked: bigint;
  /** VmPin in bytes: pages pinned by others, iommufd among them. Type1 does not move it. */
  readonly pinned: bigint;
  /** Whether CAP_IPC_LOCK is effective: the limit is then not enforced. */
  readonly ipcLock: boolean;
  /** The name of the program. */
  readonly command: string;
}

/** A soft and a hard limit in bytes; undefined for "unlimited". */
export interface Limit {
  /** What is enforced. */
  readonly soft: bigint | undefined;
  /** What the soft limit may be raised to. */
  readonly hard: bigint | undefined;
}

const CAP_IPC_LOCK = 14n;

function field(text: string, name: string): string | undefined {
  return new RegExp(`^${name}:\\s*(.*)$`, "m").exec(text)?.[1];
}

/** Kernel threads have no memory and so no Vm lines: those count as 0. */
function kilobytes(text: string, name: string): bigint {
  const value = /^(\d+) kB$/.exec(field(text, name) ?? "");
  return BigInt(value?.[1] ?? 0) * 1024n;
}

/**
 * Reads the text of `/proc/<pid>/status`.
 *
 * @throws {SyntaxError} If the text is not one.
 */
export function parseStatus(text: string): StatusCounters {
  const capabilities = field(text, "CapEff");
  if (capabilities === undefined || !/^[0-9a-f]+$/.test(capabilities)) {
    throw new SyntaxError("The text of /proc/<pid>/status has no line CapEff");
  }
  return {
    locked: kilobytes(text, "VmLck"),
    pinned: kilobytes(text, "VmPin"),
    ipcLock: (BigInt(`0x${capabilities}`) >> CAP_IPC_LOCK & 1n) === 1n,
    command: field(text, "Name") ?? "",
  };
}

/**
 * Reads the line "Max locked memory" of the text of `/proc/<pid>/limits`.
 *
 * @throws {SyntaxError} If there is no such line.
 */
export function parseMemlock(text: string): Limit {
  const line = /^Max locked memory\s+(\d+|unlimited)\s+(\d+|unlimited)/m.exec(text);
  if (line === null) {
    throw new SyntaxError('The text of /proc/<pid>/limits has no line "Max locked memory"');
  }
  const value = (digits: string | undefined): bigint | undefined =>
    digits === undefined || digits === "unlimited" ? undefined : BigInt(digits);
  return { soft: value(line[1]), hard: value(line[2]) };
}
