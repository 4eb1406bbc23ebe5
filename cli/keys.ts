/**
 * Keys as they are pressed, while other things go on.
 *
 * @module
 */

import { orAbort } from "../lib/base/wait.ts";
import type { Source } from "./input.ts";
import { type Action, actionsOf } from "./watch_state.ts";

/** Keys that were pressed, and a way to wait for more. */
export interface Keys extends Disposable {
  /** Takes what was pressed since the last time. */
  take(): Action[];
  /** Ends a wait. */
  wake(): void;
  /**
   * Waits for a key, for somebody who wakes, or for the time to pass.
   *
   * @param milliseconds Without end where nothing is given.
   */
  wait(milliseconds: number | undefined, signal: AbortSignal): Promise<void>;
}

const CHUNK = 64;

/** Begins to read keys; where nobody types there are none. */
export function readKeys(stdin: Source): Keys {
  const waiting: Action[] = [];
  let isOpen = true;
  let woken = Promise.withResolvers<void>();
  const wake = (): void => woken.resolve();
  const read = async (): Promise<void> => {
    const chunk = new Uint8Array(CHUNK);
    const decoder = new TextDecoder();
    for (; isOpen;) {
      const got = await stdin.read?.(chunk);
      if (typeof got !== "number" || !isOpen) return;
      waiting.push(...actionsOf(decoder.decode(chunk.subarray(0, got), { stream: true })));
      wake();
    }
  };
  // A read that the end of the command has interrupted has nothing to say.
  if (stdin.isTerminal?.() === true) read().catch(() => {});
  return {
    take: () => {
      woken = Promise.withResolvers<void>();
      return waiting.splice(0);
    },
    wake,
    wait: async (milliseconds, signal) => {
      if (waiting.length > 0) return;
      const timer = milliseconds === undefined ? undefined : setTimeout(wake, milliseconds);
      try {
        await orAbort(woken.promise, signal);
      } finally {
        clearTimeout(timer);
      }
    },
    [Symbol.dispose]: () => {
      isOpen = false;
      if (stdin.isTerminal?.() === true) stdin.close?.();
    },
  };
}
