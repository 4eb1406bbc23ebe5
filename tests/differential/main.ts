/**
 * Compares the model with the kernel that runs, until so many steps were made, and lists every kind
 * of difference. For the lab: it takes and leaves the lab's devices.
 *
 *     deno task lab run [--profile vendor] tests/differential/main.ts [STEPS [SEED [KINDS]]]
 *
 * @module
 */
import { rawLinux } from "../../mod.ts";
import { loadFastCheck } from "./fast_check.ts";
import { machineHere, openPlayers } from "./machine.ts";
import { REPLAY, summary, traces } from "./report.ts";
import { search } from "./search.ts";

const [steps = 20_000, seed = Date.now() % 1_000_000_000, kinds = 20] = Deno.args.map(Number);
const fc = await loadFastCheck();
if (typeof fc === "string") throw new Error(fc);
const machine = machineHere();
using stack = new DisposableStack();
const players = openPlayers(machine, rawLinux, stack);
let told = 0;
const progress = (done: number): void => {
  if (done - told < 5000) return;
  told = done;
  console.error(`${done} steps`);
};
const found = search(fc, machine, players, { seed, steps, kinds, progress });
if (found.differences.length > 0) {
  console.log(traces(found, players));
  console.log(`${REPLAY}\n`);
  Deno.exitCode = 1;
}
console.log(summary(found, seed));
