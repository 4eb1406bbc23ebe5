/** The differential test as a kernel test: the kernel that runs against the model. */
import { rawLinux } from "../../mod.ts";
import { describe, skip } from "../std/testing.ts";
import { it } from "../kernel/support/guard.ts";
import { loadFastCheck } from "./fast_check.ts";
import { type Machine, openPlayers } from "./machine.ts";
import { REPLAY, summary, traces } from "./report.ts";
import { search } from "./search.ts";
import { settings } from "./settings.ts";

/** Kinds of difference after which a test stops looking. */
const KINDS = 5;

/** Registers the test for a machine; `steps` may be overruled by PINSCOPE_STEPS. */
export async function differentialTest(machine: Machine, steps: number): Promise<void> {
  const wish = { ...settings(steps), kinds: KINDS };
  const fc = await loadFastCheck();
  describe("the model and the kernel", () => {
    const name = `answer the same, in ${wish.steps} random steps (seed ${wish.seed})`;
    if (typeof fc === "string") return skip(name, fc);
    it(name, () => {
      using stack = new DisposableStack();
      const players = openPlayers(machine, rawLinux, stack);
      const found = search(fc, machine, players, wish);
      console.log(summary(found, wish.seed));
      if (found.differences.length === 0) return;
      throw new Error(`They differ.\n\n${traces(found, players)}\n${REPLAY}`);
    });
  });
}
