/** The conformance suite on the kernel of the guest. */

import { rawLinux as linux } from "../../../mod.ts";
import { conform, RECORDINGS } from "../../../lib/conform/mod.ts";
import { readLine } from "../../../lib/sys/text.ts";
import { equal, ok } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "./guard.ts";

/** Declares the test of a machine. `must` are checks that this machine is there for. */
export function describeConformance(must: readonly string[], atLeast: number): void {
  describe("the conformance suite", () => {
    it("gets the answers that were recorded, and leaves nothing behind", () => {
      const release = readLine(linux, "/proc/sys/kernel/osrelease");
      // A kernel that was never recorded is held to the one that it comes nearest to.
      const own = RECORDINGS.filter((recording) => recording.release === release);
      const started = performance.now();
      const { checks, nearest } = conform(linux, own.length > 0 ? { recordings: own } : {});
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      const ran = checks.filter(({ answers }) => answers !== undefined).map(({ name }) => name);
      const beside = nearest.recording.release;
      console.log(`${ran.length} checks, ${nearest.steps} answers in ${seconds} s, as ${beside}`);
      const texts = nearest.differences.map((one) =>
        `${one.check}, ${one.step}: ${one.answered}, recorded ${one.recorded} ` +
        `(${one.rule}, ${one.source})`
      );
      equal(texts, []);
      equal(must.filter((name) => !ran.includes(name)), []);
      ok(ran.length >= atLeast, `only ${ran.length} checks ran`);
    });
  });
}
