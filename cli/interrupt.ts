/**
 * Ctrl-C and its relatives as one AbortSignal, so that everything is still released.
 *
 * @module
 */

const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
const NAMES = Object.keys(NUMBERS) as (keyof typeof NUMBERS)[];

/** Thrown where work stops because of a signal. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";

  /** `status` is the exit status that a shell expects after the signal: 130 for Ctrl-C. */
  constructor(readonly status: number = 130) {
    super("interrupted");
  }
}

/** Listens, while it is in scope, for the signals that end a program. */
export class Interrupt implements Disposable {
  readonly #controller = new AbortController();
  readonly #listeners = new DisposableStack();

  /** Begins to listen. */
  constructor() {
    for (const name of NAMES) {
      const listener = (): void => this.#on(128 + NUMBERS[name]);
      Deno.addSignalListener(name, listener);
      this.#listeners.defer(() => Deno.removeSignalListener(name, listener));
    }
  }

  #on(status: number): void {
    // The second time somebody does not want to wait: the kernel releases what is left.
    if (this.signal.aborted) Deno.exit(status);
    this.#controller.abort(new Interrupted(status));
  }

  /** Aborts, with an {@link Interrupted}, when a signal comes. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends listening. */
  [Symbol.dispose](): void {
    this.#listeners.dispose();
  }
}
