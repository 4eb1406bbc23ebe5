/**
 * Plays a trace on the kernel that runs and on the model: a line for each step with what both
 * answered.
 *
 *     deno task lab run [--profile vendor] tests/differential/replay.ts FILE
 *
 * @module
 */
import { rawLinux } from "../../mod.ts";
import { compare, writeTrace } from "./compare.ts";
import { machineHere, openPlayers } from "./machine.ts";
import { readOperation } from "./operation.ts";

const [file] = Deno.args;
if (file === undefined) throw new TypeError("usage: replay.ts FILE");
const operations = Deno.readTextFileSync(file).split("\n")
  .filter((line) => line.startsWith("{")).map(readOperation);
const machine = machineHere();
using stack = new DisposableStack();
const players = openPlayers(machine, rawLinux, stack);
const { difference, steps } = compare(...players, operations);
const answers = [undefined, undefined] as const;
console.log(writeTrace(...players, difference ?? { operations, answers, steps }));
console.log(difference === undefined ? `${steps} steps, none different` : "They differ here");
Deno.exitCode = difference === undefined ? 0 : 1;
