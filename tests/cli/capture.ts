/** Runs the command line in this process, or as a process of its own, and keeps what it writes. */
import { main } from "../../cli/main.ts";
import type { Sink } from "../../cli/output.ts";

/** What a command line did. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A sink that keeps everything. */
export class Kept implements Sink {
  text = "";
  readonly #isTerminal: boolean;
  readonly #decoder = new TextDecoder();

  /** `isTerminal` pretends that somebody reads along. */
  constructor(isTerminal = false) {
    this.#isTerminal = isTerminal;
  }

  isTerminal(): boolean {
    return this.#isTerminal;
  }

  writeSync(bytes: Uint8Array): number {
    this.text += this.#decoder.decode(bytes, { stream: true });
    return bytes.length;
  }
}

/** Runs in this process; the signal is never raised unless one is given. */
export async function run(
  args: readonly string[],
  signal: AbortSignal = new AbortController().signal,
): Promise<Ran> {
  const stdout = new Kept();
  const stderr = new Kept();
  const code = await main(args, { stdout, stderr, signal });
  return { code, out: stdout.text, err: stderr.text };
}

/** The command of a process of its own, with no permission unless some are given. */
export function command(
  args: readonly string[],
  permissions: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Deno.Command {
  const entry = new URL("../../cli/main.ts", import.meta.url).pathname;
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--cached-only",
      "--no-prompt",
      "--no-lock",
      ...permissions,
      entry,
      ...args,
    ],
    env: { ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Runs as a process of its own. */
export async function spawn(
  args: readonly string[],
  permissions: readonly string[] = [],
): Promise<Ran> {
  const { code, stdout, stderr } = await command(args, permissions).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** Messages as they were before they were broken into lines. */
export function unwrapped(text: string): string {
  return text.replaceAll("\n  ", " ");
}

/** The lines that are wider than a terminal should be. */
export function tooWide(text: string): string[] {
  return text.split("\n").filter((line) => line.length >= 80);
}

/** The objects of JSON lines. */
export function records(text: string): Record<string, unknown>[] {
  return text.trimEnd().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
}
