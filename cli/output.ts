/**
 * The only place of the command line that writes: data on stdout, the rest on stderr.
 *
 * @module
 */

import { hex } from "../mod.ts";
import type { Source } from "./input.ts";
import { WIDTH, wrap } from "./table.ts";

/** Anything that takes bytes one after another: a terminal, a pipe, a list in a test. */
export interface Sink {
  /** Writes some of the bytes; gives how many. */
  writeSync(bytes: Uint8Array): number;
  /** Whether somebody reads along, so that a screen can be painted again. */
  isTerminal?(): boolean;
}

/** Where a command writes, and what ends it early. */
export interface Io {
  /** Takes data. */
  readonly stdout: Sink;
  /** Takes everything else. */
  readonly stderr: Sink;
  /** Gives what is read from "-"; nothing by default. */
  readonly stdin?: Source;
  /** Ends the work; by default Ctrl-C and its relatives do. */
  readonly signal?: AbortSignal;
  /** How large the terminal is. */
  consoleSize?(): { readonly columns: number; readonly rows: number };
  /** Whether the user wants no colour: NO_COLOR. */
  readonly noColor?: boolean;
}

/** Stdout could not be written. */
export class OutputError extends Error {
  override readonly name = "OutputError";
}

/** The fields of a JSON line. */
export type JsonObject = Readonly<Record<string, Json>>;

/** What a field of a JSON line may hold: bigints become hexadecimal strings. */
export type Json =
  | string
  | number
  | boolean
  | null
  | bigint
  | undefined
  | readonly Json[]
  | { readonly [key: string]: Json };

const encoder = new TextEncoder();
const FULL = 32 << 10;
/** To the first place of the screen, and clear from there: without a flash, as a whole `clear` has. */
const HOME = "\x1b[H\x1b[J";
/** To the first column, and clear the line. */
const CLEAR_LINE = "\r\x1b[K";
const pause = new Int32Array(new SharedArrayBuffer(4));

/** Writes all the bytes: a pipe may take a part only, or none for the moment. */
function writeAll(sink: Sink, bytes: Uint8Array): void {
  for (let rest = bytes; rest.length > 0;) {
    try {
      rest = rest.subarray(sink.writeSync(rest));
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}

/** Output of one command. Dispose writes what waits. */
export class Output implements Disposable {
  readonly #io: Io;
  #waiting = "";
  #hasStatus = false;

  /**
   * Writes to `io`; `json` tells whether lines are for programs, `quiet` whether hints and progress
   * are left out.
   */
  constructor(io: Io, readonly json: boolean, readonly quiet: boolean = false) {
    this.#io = io;
  }

  /** Whether somebody sees stderr as it is written. */
  get hasErrorTerminal(): boolean {
    return this.#io.stderr.isTerminal?.() === true;
  }

  /** Whether somebody sees stdout as it is written. */
  get isTerminal(): boolean {
    return this.#io.stdout.isTerminal?.() === true;
  }

  /** Whether colour is welcome. */
  get hasColor(): boolean {
    return this.isTerminal && this.#io.noColor !== true;
  }

  /** How large the terminal is; the usual size where nothing tells. */
  get terminalSize(): { readonly columns: number; readonly rows: number } {
    const { columns = 0, rows = 0 } = this.#io.consoleSize?.() ?? {};
    return columns > 0 && rows > 0 ? { columns, rows } : { columns: WIDTH + 1, rows: 24 };
  }

  /** Bytes for a terminal, in one write together with what waits. */
  paint(text: string): void {
    this.#waiting += text;
    this.flush();
  }

  /** A line for people; nothing with --json. */
  line(text: string = ""): void {
    if (!this.json) this.#put(text);
  }

  /** Several lines for people. */
  lines(texts: Iterable<string>): void {
    for (const text of texts) this.line(text);
  }

  /** Begins a screen anew on a terminal; elsewhere, but for the first, an empty line does. */
  screen(isFirst: boolean): void {
    if (!this.json && this.#io.stdout.isTerminal?.() === true) this.#waiting += HOME;
    else if (!isFirst) this.line();
  }

  /** A JSON object on a line; nothing without --json. */
  record(type: string, fields: JsonObject): void {
    if (!this.json) return;
    const value = (_: string, v: unknown): unknown => typeof v === "bigint" ? hex(v) : v;
    this.#put(JSON.stringify({ type, ...fields }, value));
  }

  /** Text as it is, as help is. */
  text(text: string): void {
    this.#put(text.replace(/\n$/, ""));
  }

  #put(line: string): void {
    this.#waiting += `${line}\n`;
    if (this.#waiting.length > FULL) this.flush();
  }

  /** Writes what waits: a whole round at once. */
  flush(): void {
    if (this.#waiting !== "") this.status("");
    const bytes = encoder.encode(this.#waiting);
    this.#waiting = "";
    try {
      writeAll(this.#io.stdout, bytes);
    } catch (error) {
      throw new OutputError(`Cannot write to stdout: ${error}`, { cause: error });
    }
  }

  /** A line on stderr that nobody has to read: what was chosen, what comes next. */
  hint(text: string): void {
    if (!this.quiet) this.note(text);
  }

  /** One line on a terminal at stderr, over the one before, until something else is written. */
  status(text: string): void {
    if (text === "" ? !this.#hasStatus : !this.hasErrorTerminal) return;
    this.#hasStatus = text !== "";
    // In the last column some terminals begin a new line.
    this.#tell(CLEAR_LINE + text.slice(0, this.terminalSize.columns - 1));
  }

  /**
   * A line on stderr: what went wrong, or has to be known. Lines of it that begin with two blanks are
   * for the reader to type, and stay whole.
   */
  note(text: string): void {
    this.flush();
    const lines = `pinscope: ${text}`.split("\n");
    this.explain(
      lines.flatMap((line) => line.startsWith("  ") ? [line] : wrap(line, "  ")).join("\n"),
    );
  }

  /** Text as it is on stderr. */
  explain(text: string): void {
    this.status("");
    this.#tell(`${text}\n`);
  }

  #tell(text: string): void {
    try {
      writeAll(this.#io.stderr, encoder.encode(text));
    } catch (error) {
      // Whoever closed stderr does not want to read this.
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    }
  }

  /** Writes what waits. */
  [Symbol.dispose](): void {
    this.status("");
    this.flush();
  }
}
