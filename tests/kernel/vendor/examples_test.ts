/** The examples that want a mediated device, on one that rests. */
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { PINS } from "./scene.ts";

const FOLDER = new URL("../../../examples/", import.meta.url).pathname;

async function run(name: string, ...args: readonly string[]): Promise<string[]> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--cached-only", "--no-check", "--allow-ffi", `${FOLDER}${name}`, PINS, ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  equal([code, decoder.decode(stderr)], [0, ""]);
  return decoder.decode(stdout).trim().split("\n");
}

describe("examples on a mediated device", () => {
  it("04_pins.ts", async () => {
    equal(await run("04_pins.ts"), [
      "pinned-scope (by rule): all devices are mediated: only what their drivers pin or write is " +
      "reported",
    ]);
  });

  it("07_rounds.ts", async () => {
    equal(await run("07_rounds.ts", "2", "0"), [
      "round 1: 0 pages, 0 new, 0 gone (pinned-scope)",
      "round 2: 0 pages, 0 new, 0 gone (pinned-scope)",
    ]);
  });
});
