/** Ctrl-C and its relatives as one AbortSignal, so that every `finally` still runs. */

const numbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
type Caught = keyof typeof numbers;

/** Thrown where work stops because a signal came. */
export class Interrupted extends Error {
  override name = "Interrupted";
}

/** Listens for the signals that end a program while it is in scope. */
export class Interrupt implements Disposable {
  #controller = new AbortController();
  #listeners: [Caught, () => void][] = [];
  #status = 130;

  constructor() {
    for (const name of Object.keys(numbers) as Caught[]) {
      const listener = (): void => {
        this.#status = 128 + numbers[name];
        this.#controller.abort(new Interrupted(`interrupted by ${name}`));
      };
      Deno.addSignalListener(name, listener);
      this.#listeners.push([name, listener]);
    }
  }

  /** Aborts when a signal came. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The exit status a shell expects after the signal: 130 for Ctrl-C. */
  get status(): number {
    return this.#status;
  }

  [Symbol.dispose](): void {
    for (const [name, listener] of this.#listeners.splice(0)) {
      Deno.removeSignalListener(name, listener);
    }
  }
}
