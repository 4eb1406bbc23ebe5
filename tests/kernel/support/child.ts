/** Runs a script of this folder as another user, or with less. */

/** How the script's process differs from this one. */
export interface Change {
  /** RLIMIT_MEMLOCK, soft and hard, in bytes. */
  memlock?: bigint;
  /** A user of the guest. */
  uid?: number;
  /** Take CAP_IPC_LOCK away from root. */
  withoutIpcLock?: boolean;
  /** Take CAP_SYS_RESOURCE away from root. */
  withoutSysResource?: boolean;
  /** Let the script run other programs. */
  mayRun?: boolean;
}

function wrapper(change: Change): string[] {
  const words: string[] = [];
  if (change.memlock !== undefined) {
    words.push("/usr/bin/prlimit", `--memlock=${change.memlock}:${change.memlock}`);
  }
  if (change.uid !== undefined) {
    words.push("/usr/bin/setpriv", `--reuid=${change.uid}`, `--regid=${change.uid}`);
    words.push("--clear-groups");
  }
  if (change.withoutIpcLock === true) {
    words.push("/usr/bin/setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock");
  }
  if (change.withoutSysResource === true) {
    words.push("/usr/bin/setpriv", "--bounding-set=-sys_resource", "--inh-caps=-sys_resource");
  }
  return words;
}

/**
 * Runs `name` with no permission but `--allow-ffi`, unless it may run programs.
 *
 * @returns What it reported, by name.
 */
export async function runChild(
  name: string,
  change: Change,
  ...args: string[]
): Promise<Record<string, unknown>> {
  const script = new URL(name, import.meta.url).pathname;
  const options = ["run", "--cached-only", "--no-check", "--no-lock", "--allow-ffi"];
  if (change.mayRun === true) options.push("--allow-run");
  const [command, ...rest] = [...wrapper(change), "deno", ...options, script, ...args];
  const output = await new Deno.Command(command!, { args: rest }).output();
  const text = new TextDecoder().decode(output.stdout);
  if (!output.success) {
    throw new Error(`${name} failed:\n${text}\n${new TextDecoder().decode(output.stderr)}`);
  }
  return JSON.parse(text);
}

/** Tells the test what the script saw; once, at its end. A bigint is told as a number. */
export function report(seen: Record<string, unknown>): void {
  const plain = (_: string, value: unknown): unknown =>
    typeof value === "bigint" ? Number(value) : value;
  console.log(JSON.stringify(seen, plain));
}

/** The message of the error that `body` throws; a script that throws none is wrong. */
export function messageOf(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    return String(error);
  }
  return "no error";
}
