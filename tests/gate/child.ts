/**
 * Runs another program for a bounded time.
 *
 * @module
 */

/** The root of the project. */
export const ROOT: string = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** How a program is run. */
export interface ChildOptions {
  /** Seconds after which it is killed with all its children. */
  readonly seconds: number;
  /** `show` lets it write to the terminal, `keep` gives its output back. */
  readonly output: "show" | "keep";
  /** More environment variables. */
  readonly env?: Readonly<Record<string, string>>;
}

/** How it ended. */
export interface ChildResult {
  /** Its exit status; 124 when it was killed for its time, as timeout(1) says it. */
  readonly code: number;
  readonly timedOut: boolean;
  /** Standard output and error, one after the other; "" when they were shown. */
  readonly text: string;
}

// Hooks of other programs may kill by process group, and so do we: npx starts the Deno it was asked
// for as a child, and a signal to npx alone leaves that behind.
const running = new Set<number>();

/** Kills every program that runs now, with its children. */
export function killAll(): void {
  for (const pid of running) killGroup(pid);
}

function killGroup(pid: number): void {
  try {
    Deno.kill(-pid, "SIGKILL");
  } catch (error) {
    // It may have ended by itself in between.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Runs a program to its end, or to the end of its time. */
export async function runChild(
  command: readonly [string, ...string[]],
  options: ChildOptions,
): Promise<ChildResult> {
  const [program, ...args] = command;
  const io = options.output === "show" ? "inherit" : "piped";
  const child = new Deno.Command(program, {
    args,
    cwd: ROOT,
    stdin: "null",
    stdout: io,
    stderr: io,
    // Nothing here waits for the network, and a question about newer versions would.
    env: { DENO_NO_UPDATE_CHECK: "1", ...options.env },
    detached: true,
  }).spawn();
  running.add(child.pid);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child.pid);
  }, options.seconds * 1000);
  try {
    if (options.output === "show") {
      const { code } = await child.status;
      return { code: timedOut ? 124 : code, timedOut, text: "" };
    }
    const { code, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    return {
      code: timedOut ? 124 : code,
      timedOut,
      text: decoder.decode(stdout) + decoder.decode(stderr),
    };
  } finally {
    clearTimeout(timer);
    running.delete(child.pid);
  }
}

/** Kills the programs that run when this one is told to end, while in scope. */
export function killOnSignal(): Disposable {
  const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
  const stack = new DisposableStack();
  for (const [signal, code] of Object.entries(signals)) {
    const listener = (): never => {
      killAll();
      Deno.exit(code);
    };
    Deno.addSignalListener(signal as keyof typeof signals, listener);
    stack.defer(() => Deno.removeSignalListener(signal as keyof typeof signals, listener));
  }
  return stack;
}
