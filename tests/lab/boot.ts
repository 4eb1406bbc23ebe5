/** Boots a machine, passes its output on while it runs, and says how it ended. */
import { which } from "./command.ts";
import type { Job } from "./job.ts";
import { type Sink, writeAll } from "./output.ts";
import { findQemu, type Machine, qemuArguments } from "./qemu.ts";

/** How a boot ended. */
export interface Boot {
  /** The command's exit status; undefined when the guest did not get so far. */
  status: number | undefined;
  /** Why there is no status, as a sentence. */
  problem: string | undefined;
  /** The lines of the console that matter: a crash from its first line on, or the last lines. */
  console: string;
  /** Lines in which the kernel complained while the command ran. */
  warnings: readonly string[];
  release: string | undefined;
  seconds: number;
}

/** Where output goes while the guest runs. */
export interface Outlets {
  stdout: Sink;
  stderr: Sink;
  /** The console's text, when it is wanted. */
  console?: Sink;
}

/** Follows a growing file. */
class Tail {
  #path: string;
  #sink: Sink;
  #at = 0;
  #buffer = new Uint8Array(1 << 16);

  constructor(path: string, sink: Sink) {
    this.#path = path;
    this.#sink = sink;
  }

  /** Passes on what was added since the last time. */
  poll(): void {
    using file = Deno.openSync(this.#path);
    file.seekSync(this.#at, Deno.SeekMode.Start);
    for (;;) {
      const read = file.readSync(this.#buffer);
      if (read === null || read === 0) return;
      this.#at += read;
      writeAll(this.#sink, this.#buffer.subarray(0, read));
    }
  }
}

/** Boots the machine and waits for its end, the timeout or an interrupt, whichever is first. */
export async function boot(
  machine: Machine,
  job: Job,
  outlets: Outlets,
  seconds: number | undefined,
  signal: AbortSignal,
): Promise<Boot> {
  signal.throwIfAborted();
  const started = performance.now();
  const terminal = machine.console === undefined;
  const qemu = [findQemu(), ...qemuArguments(machine)];
  // If the lab itself is killed, the kernel takes QEMU with it.
  const setpriv = which("setpriv");
  if (setpriv !== undefined) qemu.unshift(setpriv, "--pdeathsig", "KILL");
  const [program = "", ...args] = qemu;
  const child = new Deno.Command(program, {
    args,
    stdin: terminal ? "inherit" : "null",
    stdout: terminal ? "inherit" : "null",
    stderr: terminal ? "inherit" : "piped",
  }).spawn();
  const complaint = terminal ? Promise.resolve("") : new Response(child.stderr).text();
  let running = true;
  const end = child.status.finally(() => running = false);
  const kill = (): void => {
    try {
      if (running) child.kill("SIGKILL");
    } catch (error) {
      // It may end in the very moment.
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
  };
  signal.addEventListener("abort", kill, { once: true });
  let late = false;
  const timer = seconds === undefined ? undefined : setTimeout(() => {
    late = true;
    kill();
  }, seconds * 1000);
  const tails = terminal ? [] : [
    new Tail(`${job.folder}/stdout`, outlets.stdout),
    new Tail(`${job.folder}/stderr`, outlets.stderr),
    ...(outlets.console ? [new Tail(job.console, outlets.console)] : []),
  ];
  let status: Deno.CommandStatus;
  try {
    while (running) {
      await Promise.race([end, new Promise((go) => setTimeout(go, 50))]);
      for (const tail of tails) tail.poll();
    }
    status = await end;
  } finally {
    kill();
    clearTimeout(timer);
    signal.removeEventListener("abort", kill);
    await end;
  }
  signal.throwIfAborted();
  const console = (await Deno.readTextFile(job.console)).replaceAll("\r", "");
  const code = await job.read("status");
  const passed = (performance.now() - started) / 1000;
  return {
    status: code === undefined ? undefined : Number(code),
    problem: code !== undefined ? undefined : explainEnd({
      late: late ? passed : undefined,
      told: await job.read("problem"),
      console,
      signal: status.signal,
      qemu: status.success ? "" : await complaint,
    }),
    console: consoleEnd(console),
    warnings: ((await job.read("warnings")) ?? "").split("\n").filter((line) => line !== ""),
    release: (await job.read("release"))?.trim(),
    seconds: passed,
  };
}

/** What is known of a guest that ended without a status. */
export interface End {
  /** Seconds until the lab stopped it, if it did. */
  late: number | undefined;
  /** What the guest says is missing. */
  told: string | undefined;
  console: string;
  /** What ended QEMU, if it did not end by itself. */
  signal: Deno.Signal | null;
  /** What QEMU wrote on stderr. */
  qemu: string;
}

/** Says in a sentence why a guest ended without finishing its command. */
export function explainEnd(end: End): string {
  const told = end.told?.trim() || end.console.match(/^lab-problem: (.*)$/m)?.[1];
  if (told) return `the guest is no lab: ${told}`;
  const panic = end.console.match(/Kernel panic - not syncing: (.*)/)?.[1];
  if (panic !== undefined) return `the guest's kernel panicked: ${panic}`;
  const oops = end.console.match(/(?:BUG|Oops|kernel BUG)[: ].*/)?.[0];
  if (oops !== undefined) return `the guest's kernel crashed: ${oops}`;
  if (end.late !== undefined) {
    const where = end.console.includes("lab-start") ? "the command still ran" : "it had not booted";
    return `the guest was stopped after ${Math.round(end.late)} s (--timeout): ${where}`;
  }
  if (end.signal !== null) {
    // Before what it printed: a QEMU that is killed early has printed nothing, whatever the kernel.
    const why = end.signal === "SIGKILL"
      ? "by hand, or by the host when its memory ran out (see dmesg; --memory gives the guest less)"
      : "from outside";
    return `QEMU was killed by ${end.signal}: ${why}`;
  }
  if (end.qemu.trim() !== "") return `QEMU ended: ${end.qemu.trim()}`;
  if (end.console.trim() === "") return "the guest printed nothing: is this a kernel for x86-64?";
  return "the guest ended before its command did";
}

/** The part of the console to show: a crash from its first line on, otherwise the last lines. */
export function consoleEnd(text: string): string {
  // deno-lint-ignore no-control-regex
  const plain = text.replace(/\x1b[[(]?[0-9;?]*[A-Za-z]?/g, "");
  const lines = plain.split("\n").filter((line) => line.trim() !== "");
  const crash = lines.findIndex((line) => /BUG:|kernel BUG|Oops|Kernel panic/.test(line));
  return (crash < 0 ? lines.slice(-15) : lines.slice(crash, crash + 40)).join("\n");
}
