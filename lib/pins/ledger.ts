import { formatSize } from "../base/format.ts";
import { type AccountState, type Cost, costOf, type Operation } from "./cost.ts";
import type { PinDelta, PinSnapshot } from "./snapshot.ts";

/** What was done: an operation of the container, or a change that no operation explains. */
export type LedgerKind = Operation["kind"] | "other";

/** One line of a {@link Ledger}. */
export interface LedgerEntry {
  /** What was done. */
  readonly kind: LedgerKind;
  /** To what, as "group 3" or "64 MiB at iova 0x1000". */
  readonly subject: string;
  /** What it should cost; undefined for a change between operations. */
  readonly expected: Cost | undefined;
  /** What the kernel charged. */
  readonly charged: PinDelta;
  /** Bytes of VmLck beyond what was expected; negative where it is less. */
  readonly difference: bigint;
  /** Why the two can differ, and what else is worth knowing. */
  readonly notes: readonly string[];
}

/** What one mapping has cost. */
export interface MappingCost {
  /** Length and address, as in the lines of the ledger. */
  readonly subject: string;
  /** Bytes of VmLck charged when it was made. */
  readonly charged: bigint;
  /** Bytes given back when it was unmapped; undefined while it is mapped. */
  readonly returned: bigint | undefined;
}

/** More about an operation, for the notes. */
export interface OperationContext {
  /** How many mappings share memory with the one that is made, this one not counted. */
  readonly sharers?: number;
}

/**
 * What each operation of a container should have cost by the rules, and what the kernel charged.
 *
 * Made by `container.keepLedger()`. VmLck belongs to the whole process, so that mlock and other
 * containers show up in it as differences.
 */
export class Ledger {
  /** The container's state before the next operation. */
  #state: AccountState;
  #last: PinSnapshot;
  readonly #first: PinSnapshot;
  readonly #entries: LedgerEntry[] = [];

  /** Begins with the state of a container and a snapshot of it. */
  constructor(state: AccountState, snapshot: PinSnapshot) {
    this.#state = state;
    this.#first = snapshot;
    this.#last = snapshot;
  }

  /** The lines so far, oldest first. */
  get entries(): readonly LedgerEntry[] {
    return this.#entries;
  }

  /** Lines in which the kernel charged something else than the rules say. */
  get differences(): readonly LedgerEntry[] {
    return this.#entries.filter((entry) => entry.difference !== 0n);
  }

  /**
   * What each mapping has cost, in the order they were made. A group that joins or leaves moves the
   * cost of all of them at once: that stands in its own line.
   */
  get mappings(): readonly MappingCost[] {
    const costs: { subject: string; charged: bigint; returned: bigint | undefined }[] = [];
    for (const { kind, subject, charged } of this.#entries) {
      if (kind === "map") costs.push({ subject, charged: charged.locked, returned: undefined });
      if (kind !== "unmap") continue;
      const open = costs.findLast((cost) => cost.subject === subject);
      if (open !== undefined) open.returned = -charged.locked;
    }
    return costs;
  }

  /** What was charged since the beginning, all in all: zero after everything is released. */
  get total(): PinDelta {
    return this.#last.since(this.#first);
  }

  /** Bytes that drivers have pinned and were charged for, as far as the ledger saw it. */
  get driverLocked(): bigint {
    return this.#state.driverLocked;
  }

  /** Notes what changed since the last line without an operation of the container. */
  settle(now: PinSnapshot): void {
    const charged = now.since(this.#last);
    this.#last = now;
    if (charged.locked === 0n) return;
    const { iommuGroups, groups } = this.#state;
    const byDriver = iommuGroups === 0 && groups > 0;
    if (byDriver) this.#addDriver(charged.locked);
    this.#entries.push({
      kind: "other",
      subject: byDriver ? "drivers, or the process" : "the rest of the process",
      expected: undefined,
      charged,
      difference: byDriver ? 0n : charged.locked,
      notes: [
        byDriver
          ? "drivers pin and release pages on their own; mlock and other containers count here " +
            "too, and nothing tells them apart"
          : "mlock, another container, or another library of the process",
      ],
    });
  }

  #addDriver(bytes: bigint): void {
    this.#setDriver(this.#state.driverLocked + bytes);
  }

  #setDriver(bytes: bigint): void {
    this.#state = { ...this.#state, driverLocked: bytes > 0n ? bytes : 0n };
  }

  /**
   * Notes an operation.
   *
   * @param operation What was done; its cost follows from the state before it.
   * @param now The snapshot after it.
   */
  record(
    operation: Operation,
    subject: string,
    now: PinSnapshot,
    context: OperationContext = {},
  ): LedgerEntry {
    const expected = costOf(this.#state, operation);
    const charged = now.since(this.#last);
    this.#last = now;
    const { locked } = charged;
    const difference = locked < expected.least
      ? locked - expected.least
      : locked > expected.most
      ? locked - expected.most
      : 0n;
    const notes = [
      ...explainDifference(difference),
      ...explainLimit(now),
      ...explainSharing(operation, this.#state, context),
    ];
    this.#advance(operation, locked);
    const kind = operation.kind;
    const entry = { kind, subject, expected, charged, difference, notes };
    this.#entries.push(entry);
    return entry;
  }

  #advance(operation: Operation, locked: bigint): void {
    const state = this.#state;
    const before = state.iommuGroups;
    switch (operation.kind) {
      case "attach":
      case "detach": {
        const step = operation.kind === "attach" ? 1 : -1;
        const groups = state.groups + step;
        const iommuGroups = before + (operation.emulated ? 0 : step);
        const gone = groups === 0 ? { mapped: 0n, driverLocked: 0n } : {};
        this.#state = { ...state, groups, iommuGroups, ...gone };
        if (groups === 0) break;
        // Drivers may pin and release unseen while an IOMMU pays for all. What they hold shows when
        // it comes, as what it need not pay, and when it goes, as what is left.
        if (before === 0 && iommuGroups === 1) this.#setDriver(state.mapped - locked);
        else if (before === 1 && iommuGroups === 0) this.#setDriver(state.mapped + locked);
        else if (before === 0) this.#addDriver(locked);
        break;
      }
      case "map":
        this.#state = { ...state, mapped: state.mapped + operation.size };
        break;
      case "unmap":
        this.#state = { ...state, mapped: state.mapped - operation.size };
        if (before === 0) this.#addDriver(locked);
        break;
      case "driver":
        if (before === 0) this.#addDriver(locked);
        break;
    }
  }
}

function explainDifference(difference: bigint): string[] {
  if (difference > 0n) {
    return [
      `${formatSize(difference)} more than the rules say: the process locked memory elsewhere ` +
      "meanwhile (mlock, another container), or a driver pinned",
    ];
  }
  if (difference < 0n) {
    return [
      `${
        formatSize(-difference)
      } less than the rules say: reserved pages are not counted (pages of devices, and on some ` +
      "kernels the page of zeros, which untouched memory is as long as it is only read), pages " +
      "that a driver had pinned are paid for, or memory was unlocked elsewhere",
    ];
  }
  return [];
}

function explainLimit({ locked, limit, ipcLock }: PinSnapshot): string[] {
  if (limit.soft === undefined || locked <= limit.soft || !ipcLock) return [];
  return [
    `VmLck ${formatSize(locked)} is above RLIMIT_MEMLOCK ${formatSize(limit.soft)}: ` +
    "CAP_IPC_LOCK lifts the limit, and the pages are counted all the same",
  ];
}

function explainSharing(
  operation: Operation,
  { iommuGroups }: AccountState,
  { sharers = 0 }: OperationContext,
): string[] {
  if (operation.kind !== "map" || sharers === 0 || iommuGroups === 0) return [];
  return ["the same memory is mapped more than once, and counted each time"];
}
