/** The model answers the whole suite as the kernels that were recorded. */
import { conform } from "../../lib/conform/mod.ts";
import { CHECKS } from "../../lib/conform/checks.ts";
import type { Recording } from "../../lib/conform/recording.ts";
import { RECORDINGS } from "../../lib/conform/recordings.ts";
import { BEHAVIOURS, ModelKernel } from "../../lib/model/mod.ts";
import { equal, ok, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { MACHINES, modelOf } from "./machines.ts";

const sameKernel = (a: Recording, b: Recording): boolean =>
  parseFloat(a.release) === parseFloat(b.release);

for (const recording of RECORDINGS) {
  describe(`the model as Linux ${recording.release}`, () => {
    it("answers every recorded step, and leaves nothing behind", () => {
      const ran = new Set<string>();
      let steps = 0;
      for (const machine of Object.keys(MACHINES)) {
        const kernel = modelOf(machine, recording.name);
        const { checks, nearest } = conform(kernel, { recordings: [recording] });
        const texts = nearest.differences.map((one) =>
          `${machine}: ${one.check}, ${one.step}: ${one.answered}, recorded ${one.recorded} (${one.rule})`
        );
        equal(texts, []);
        equal([kernel.openFiles, kernel.openMappings], [0, 0], machine);
        for (const { name, answers } of checks) if (answers !== undefined) ran.add(name);
        steps += nearest.steps;
      }
      equal(Object.keys(recording.answers).filter((name) => !ran.has(name)), []);
      ok(steps > 3000, `only ${steps} steps were compared`);
    });

    it("comes nearest to it", () => {
      const { nearest, comparisons } = conform(modelOf("vendor", recording.name));
      equal([nearest.recording.name, nearest.differences], [recording.name, []]);
      // One kernel built in two ways differs in what it has, and not in what it answers.
      const others = comparisons.slice(1).filter((one) => !sameKernel(one.recording, recording));
      ok(others.length >= 2 && others.every(({ differences }) => differences.length > 0));
    });
  });
}

describe("recordings", () => {
  it("have each check, or say why not", () => {
    for (const { name, answers, missing } of RECORDINGS) {
      const both = [...Object.keys(answers), ...Object.keys(missing)];
      equal(both.sort(), CHECKS.map((check) => check.name).sort(), name);
      ok(Object.values(missing).every((reason) => reason.length > 10), name);
    }
  });

  it("hold no preparation that failed", () => {
    const failed = RECORDINGS.flatMap(({ answers }) => Object.entries(answers))
      .filter(([, steps]) => "not prepared" in steps || Object.keys(steps).length === 0);
    equal(failed, []);
  });

  it("are those that the model has profiles for", () => {
    equal(RECORDINGS.map(({ name }) => name), BEHAVIOURS.map(({ name }) => name));
  });
});

describe("conform", () => {
  it("says why checks cannot run where there is no device for them", () => {
    const { checks, nearest, devices } = conform(new ModelKernel({ devices: [], profile: "6.12" }));
    equal([devices, nearest.steps], [[], 0]);
    ok(checks.every(({ answers, skipped }) => answers === undefined && skipped !== undefined));
  });

  it("keeps to the devices that are named", () => {
    const kernel = modelOf("vendor", "6.12");
    const { devices, checks } = conform(kernel, { devices: ["0000:00:10.0"] });
    equal(devices, ["0000:00:10.0"]);
    const second = checks.find(({ name }) => name === "setup: two containers at once");
    equal(second?.skipped, "there is no second PCI device in a group");
  });

  it("leaves a group alone that is in use, and says so", () => {
    const kernel = modelOf("plain", "6.12");
    const fd = kernel.open("/dev/vfio/5");
    ok(fd > 0);
    const { devices, checks } = conform(kernel, { devices: ["0000:00:10.0"] });
    equal(devices, []);
    ok(checks[0]?.skipped?.endsWith("free: 0000:00:10.0 is in use"), checks[0]?.skipped);
    kernel.close(fd);
  });

  it("tells each check as it is done", () => {
    const seen: string[] = [];
    conform(modelOf("plain", "6.12"), {
      onCheck: ({ name }, done, total) => seen.push(`${done}/${total} ${name}`),
    });
    equal([seen.length, seen[0]], [CHECKS.length, `1/${CHECKS.length} ${CHECKS[0]!.name}`]);
  });

  it("wants something to compare with", () => {
    throws(() => conform(modelOf("plain", "6.12"), { recordings: [] }), RangeError, "recording");
  });
});
