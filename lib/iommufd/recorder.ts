import { ERRNO } from "../base/errno.ts";
import { VfioError } from "../base/error.ts";
import { IommufdLedger, type IommufdOperation } from "../pins/iommufd_ledger.ts";
import { parseMemlock, parseStatus } from "../pins/parse.ts";
import { PinBook, type PinMode } from "../pins/pin_book.ts";
import { PinSnapshot } from "../pins/snapshot.ts";
import type { Kernel } from "../sys/kernel.ts";
import { readText } from "../sys/text.ts";

/**
 * Reads what this process has locked and pinned.
 *
 * @throws {VfioError} If /proc cannot be read.
 */
export function readPins(kernel: Kernel): PinSnapshot {
  const status = readText(kernel, "/proc/self/status");
  const limits = readText(kernel, "/proc/self/limits");
  if (typeof status === "string" && typeof limits === "string") {
    const counters = { ...parseStatus(status), limit: parseMemlock(limits) };
    return new PinSnapshot({ ...counters, dmaAvailable: undefined });
  }
  const errno = typeof status === "number" ? -status : ERRNO.EACCES;
  throw new VfioError({ operation: "open", errno, action: "read /proc/self/status" });
}

/** Takes a snapshot before and after each operation of an iommufd, and enters it in a ledger. */
export class PinRecorder {
  /** Where the lines go. */
  readonly ledger: IommufdLedger;
  readonly #kernel: Kernel;
  readonly #account: () => "user" | "process";
  #before: PinSnapshot;

  /**
   * Records what an iommufd does from now on, whose processes are charged by `account`; `fill` enters
   * what is there, as it would be charged now.
   */
  constructor(
    kernel: Kernel,
    account: () => "user" | "process",
    fill: (book: PinBook, mode: PinMode) => void,
  ) {
    this.#kernel = kernel;
    this.#account = account;
    this.#before = readPins(kernel);
    const book = new PinBook();
    fill(book, this.#mode);
    this.ledger = new IommufdLedger(book, this.#before);
  }

  get #mode(): PinMode {
    return this.#before.ipcLock ? "none" : this.#account();
  }

  /** Does an operation, and notes what it did to the book and to the counters. */
  during<T>(
    act: () => T,
    note: (book: PinBook, mode: PinMode, result: T) => readonly [IommufdOperation, string],
  ): T {
    this.#before = readPins(this.#kernel);
    this.ledger.settle(this.#before);
    const result = act();
    const [kind, subject] = note(this.ledger.book, this.#mode, result);
    this.ledger.record(kind, subject, readPins(this.#kernel));
    return result;
  }
}

/** Does an operation, recorded if somebody keeps a ledger. */
export function recorded<T>(
  recorder: PinRecorder | undefined,
  act: () => T,
  note: (book: PinBook, mode: PinMode, result: T) => readonly [IommufdOperation, string],
): T {
  return recorder === undefined ? act() : recorder.during(act, note);
}
