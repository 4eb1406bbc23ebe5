/** What taskset says about this process's main thread: the processors where it may run, in hexadecimal. */
function affinity(...mask: readonly string[]): string | undefined {
  try {
    const args = ["-p", ...mask, String(Deno.pid)];
    const { success, stdout } = new Deno.Command("taskset", { args }).outputSync();
    if (!success) return undefined;
    return /current affinity mask: ([0-9a-f,]+)/.exec(new TextDecoder().decode(stdout))?.[1];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Keeps this thread, and processes that it starts, on one processor until the end of the scope: on a
 * shared machine one may be half as fast as the other for seconds, and turns do not even that out.
 * Threads that run already, as those that compile, stay free. Without util-linux nothing is done,
 * and it is said.
 */
export function onOneCpu(): Disposable {
  const before = affinity();
  const first = before === undefined ? undefined : BigInt(`0x${before.replaceAll(",", "")}`);
  const one = first === undefined ? undefined : affinity((first & -first).toString(16));
  if (before === undefined || one === undefined) {
    console.error("both sides move between processors: install util-linux, for taskset");
    return { [Symbol.dispose]: () => {} };
  }
  return { [Symbol.dispose]: () => void affinity(before) };
}
