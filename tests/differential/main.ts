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
import { machineHere } from "./machine.ts";
import { Player } from "./player.ts";
import { REPLAY, summary, traces } from "./report.ts";
import { search } from "./search.ts";

const [steps = 20_000, seed = Date.now() % 1_000_000_000, kinds = 20] = Deno.args.map(Number);
const fc = await loadFastCheck();
if (typeof fc === "string") throw new Error(fc);
const machine = machineHere();
using real = new Player(rawLinux, machine.devices);
using model = new Player(machine.model(rawLinux), machine.devices);
let told = 0;
const progress = (done: number): void => {
  if (done - told < 5000) return;
  told = done;
  console.error(`${done} steps`);
};
const found = search(fc, machine, [real, model], { seed, steps, kinds, progress });
if (found.differences.length > 0) {
  console.log(traces(found, [real, model]));
  console.log(`${REPLAY}\n`);
  Deno.exitCode = 1;
}
console.log(summary(found, seed));
