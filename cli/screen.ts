/**
 * A screen of its own on a terminal: what was there before comes back at the end.
 *
 * @module
 */

import type { Source } from "./input.ts";
import type { Output } from "./output.ts";

/** To the other screen, without the cursor. */
const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";
/** Terminals that know it show a frame at once; others pass it over. */
const [BEGIN, END] = ["\x1b[?2026h", "\x1b[?2026l"];
const HOME = "\x1b[H";
const REST_OF_LINE = "\x1b[K";
const REST_OF_SCREEN = "\x1b[J";

/**
 * One frame, as bytes for the terminal: each line over the one before, and only what is left over is
 * cleared, so that nothing flickers.
 */
export function frame(lines: readonly string[]): string {
  const text = lines.map((line) => `${line}${REST_OF_LINE}`).join("\r\n");
  return `${BEGIN}${HOME}${text}${REST_OF_SCREEN}${END}`;
}

/** The screen, while it is in scope; keys come as they are pressed. */
export class Screen implements Disposable {
  readonly #out: Output;
  readonly #stdin: Source;
  readonly #listeners = new DisposableStack();
  #isOpen = true;

  /** Takes the terminal; `repaint` is called when its size has changed. */
  constructor(out: Output, stdin: Source, repaint: () => void) {
    this.#out = out;
    this.#stdin = stdin;
    // A second Ctrl-C ends the process at once: the terminal must be good then too.
    this.#listen("unload", () => this[Symbol.dispose]());
    for (const name of ["SIGWINCH", "SIGCONT"] as const) this.#onSignal(name, repaint);
    // To stop here would leave the shell with this screen.
    this.#onSignal("SIGTSTP", () => {});
    if (stdin.isTerminal?.() === true) stdin.setRaw?.(true, { cbreak: true });
    out.paint(ENTER);
  }

  #listen(name: string, listener: () => void): void {
    globalThis.addEventListener(name, listener);
    this.#listeners.defer(() => globalThis.removeEventListener(name, listener));
  }

  #onSignal(name: Deno.Signal, listener: () => void): void {
    Deno.addSignalListener(name, listener);
    this.#listeners.defer(() => Deno.removeSignalListener(name, listener));
  }

  /** Shows a frame, in one write. */
  show(lines: readonly string[]): void {
    this.#out.paint(frame(lines));
  }

  /** Gives the terminal back as it was. */
  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#listeners.dispose();
    if (this.#stdin.isTerminal?.() === true) this.#stdin.setRaw?.(false);
    this.#out.paint(LEAVE);
  }
}
