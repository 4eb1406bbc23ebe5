import { formatSize } from "../base/format.ts";
import type { PinBook, PinTotals } from "./pin_book.ts";
import type { PinDelta, PinSnapshot } from "./snapshot.ts";

/** What was done: an operation of an iommufd, or a change that no operation explains. */
export type IommufdOperation =
  /** Memory was mapped. */
  | "map"
  /** A mapping was copied. */
  | "copy"
  /** Mappings went. */
  | "unmap"
  /** A page table came: by `pageTable`, or by a device that was attached to an address space. */
  | "page-table"
  /** A page table went. */
  | "page-table-gone"
  /** Something else moved the counters. */
  | "other";

/** What an operation should move, and why. */
export interface IommufdCost extends PinTotals {
  /** The rule, as a sentence without its end. */
  readonly rule: string;
}

/** One line of an {@link IommufdLedger}. */
export interface IommufdEntry {
  /** What was done. */
  readonly kind: IommufdOperation;
  /** To what, as "64 MiB at iova 0x1000 in address space 2". */
  readonly subject: string;
  /** What it should cost; undefined for a change between operations. */
  readonly expected: IommufdCost | undefined;
  /** What VmPin and VmLck did. */
  readonly charged: PinDelta;
  /** Bytes of VmPin beyond what was expected; negative where it is less. */
  readonly pinnedDifference: bigint;
  /** Bytes of VmLck beyond what was expected. */
  readonly lockedDifference: bigint;
  /** Why the two can differ, and what else is worth knowing. */
  readonly notes: readonly string[];
}

/**
 * What each operation of an iommufd should have pinned and charged by the rules, and what the kernel's
 * counters did. Made by `iommufd.keepLedger()`.
 *
 * VmPin shows all that is pinned, whoever is charged. VmLck moves in the account of the process only;
 * what the user is charged is nowhere to be read, so the ledger reckons it.
 */
export class IommufdLedger {
  /** What the rules say is pinned now; the iommufd keeps it. */
  readonly book: PinBook;
  readonly #entries: IommufdEntry[] = [];
  readonly #first: PinSnapshot;
  #last: PinSnapshot;
  #totals: PinTotals;

  /** Begins with what is mapped already and a snapshot. */
  constructor(book: PinBook, snapshot: PinSnapshot) {
    this.book = book;
    this.#first = snapshot;
    this.#last = snapshot;
    this.#totals = book.totals;
  }

  /** The lines so far, oldest first. */
  get entries(): readonly IommufdEntry[] {
    return this.#entries;
  }

  /** Lines in which the counters did something else than the rules say. */
  get differences(): readonly IommufdEntry[] {
    return this.#entries.filter(({ pinnedDifference, lockedDifference }) =>
      pinnedDifference !== 0n || lockedDifference !== 0n
    );
  }

  /** What the counters did since the beginning. */
  get total(): PinDelta {
    return this.#last.since(this.#first);
  }

  /** What is pinned and charged now by the rules: `user` is shown nowhere else. */
  get reckoned(): PinTotals {
    return this.book.totals;
  }

  /** Notes what changed since the last line without an operation of the iommufd. */
  settle(now: PinSnapshot): void {
    const charged = now.since(this.#last);
    this.#last = now;
    if (charged.locked === 0n && charged.pinned === 0n) return;
    this.#entries.push({
      kind: "other",
      subject: "the rest of the process",
      expected: undefined,
      charged,
      pinnedDifference: charged.pinned,
      lockedDifference: charged.locked,
      notes: ["another iommufd, a container, mlock, or another library of the process"],
    });
  }

  /** Notes an operation, after the book has it. */
  record(kind: IommufdOperation, subject: string, now: PinSnapshot): IommufdEntry {
    const before = this.#totals;
    const after = this.book.totals;
    this.#totals = after;
    const cost = {
      pinned: after.pinned - before.pinned,
      locked: after.locked - before.locked,
      user: after.user - before.user,
    };
    const charged = now.since(this.#last);
    this.#last = now;
    const pinnedDifference = charged.pinned - cost.pinned;
    const lockedDifference = charged.locked - cost.locked;
    const expected = { ...cost, rule: ruleOf(kind, cost) };
    const notes = notesOf(cost, pinnedDifference, lockedDifference);
    const entry = { kind, subject, expected, charged, pinnedDifference, lockedDifference, notes };
    this.#entries.push(entry);
    return entry;
  }
}

function ruleOf(kind: IommufdOperation, { pinned }: PinTotals): string {
  switch (kind) {
    case "map":
      return pinned === 0n
        ? "without a page table a mapping pins nothing yet"
        : "with a page table a mapping is pinned at once, memory that is mapped twice twice";
    case "copy":
      return pinned === 0n
        ? "what a copy leads to is pinned once, by whomever it was first, or not yet"
        : "the first page table that leads to the memory pins it";
    case "unmap":
      return pinned === 0n
        ? "nothing was pinned, or copies keep it pinned"
        : "the last mapping that leads to memory gives it back";
    case "page-table":
      return pinned === 0n
        ? "all that is mapped is pinned already, or nothing is mapped"
        : "the first page table of an address space pins all that is mapped there";
    case "page-table-gone":
      return pinned === 0n
        ? "another page table keeps it pinned, or nothing is mapped"
        : "with the last page table of an address space its memory is given back";
    case "other":
      return "no operation of the iommufd";
  }
}

function notesOf({ pinned, locked, user }: PinTotals, more: bigint, beyond: bigint): string[] {
  const notes: string[] = [];
  if (user !== 0n) {
    const verb = user > 0n ? "is charged" : "gets back";
    const size = formatSize(user > 0n ? user : -user);
    notes.push(`the user ${verb} ${size}, which /proc does not show`);
  } else if (pinned !== 0n && locked === 0n) {
    notes.push("with CAP_IPC_LOCK at the map nobody is charged, and no limit counts");
  }
  if (more !== 0n || beyond !== 0n) {
    notes.push(
      "the counters belong to the whole process: another iommufd, a container or mlock moved them " +
        "meanwhile, or something that Pinscope did not make uses the same address space",
    );
  }
  return notes;
}
