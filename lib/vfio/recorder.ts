import type { Operation } from "../pins/cost.ts";
import type { Ledger, OperationContext } from "../pins/ledger.ts";
import type { PinSnapshot } from "../pins/snapshot.ts";

/** An operation that was done, for the ledger. */
export interface Done {
  readonly operation: Operation;
  readonly subject: string;
  readonly context?: OperationContext;
}

/** Takes a snapshot before and after each operation of a container, and enters it in a ledger. */
export class Recorder {
  /** Where the lines go. */
  readonly ledger: Ledger;
  readonly #snapshot: () => PinSnapshot;

  /** Records into `ledger`. */
  constructor(ledger: Ledger, snapshot: () => PinSnapshot) {
    this.ledger = ledger;
    this.#snapshot = snapshot;
  }

  /** Notes what changed by itself, before an operation begins. */
  begin(): void {
    this.ledger.settle(this.#snapshot());
  }

  /** Notes an operation that was begun. */
  end({ operation, subject, context }: Done): void {
    this.ledger.record(operation, subject, this.#snapshot(), context);
  }
}
