import {
  MIGRATION_RULES,
  MIGRATION_STATES,
  migrationPath,
  type MigrationState,
} from "../../../lib/rules/migration.ts";
import { firstRefusal } from "../../../lib/rules/refusal.ts";
import { equal, match } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { short } from "./space.ts";

const [COPY, P2P, PRE] = [1, 2, 4];
const ALL = COPY | P2P | PRE;

const way = (from: MigrationState, to: MigrationState, flags = ALL): string =>
  migrationPath(from, to, flags)?.join(" ") ?? "none";

/** Every way between two states, as the comment above the kernel's table lists them. */
const LISTED = `
pre-copy pre-copy-p2p stop-copy
pre-copy running running-p2p
pre-copy running running-p2p stop
pre-copy running running-p2p stop resuming
pre-copy-p2p running-p2p running
pre-copy-p2p running-p2p stop
pre-copy-p2p running-p2p stop resuming
resuming stop running-p2p
resuming stop running-p2p pre-copy-p2p
resuming stop running-p2p running
resuming stop running-p2p running pre-copy
resuming stop stop-copy
running running-p2p pre-copy-p2p
running running-p2p stop
running running-p2p stop resuming
running running-p2p stop stop-copy
running-p2p running pre-copy
running-p2p stop resuming
running-p2p stop stop-copy
stop running-p2p pre-copy-p2p
stop running-p2p running
stop running-p2p running pre-copy
stop-copy stop resuming
stop-copy stop running-p2p
stop-copy stop running-p2p running
`.trim().split("\n").map((line) => line.split(" "));

/** The steps that a driver with all states has to know. */
const ARCS = `
resuming stop, stop resuming, stop stop-copy, stop-copy stop,
running running-p2p, running-p2p running, running-p2p stop, stop running-p2p,
running pre-copy, pre-copy running, pre-copy pre-copy-p2p, pre-copy-p2p pre-copy,
pre-copy-p2p running-p2p, pre-copy-p2p stop-copy, running-p2p pre-copy-p2p
`.trim().split(/,\s+/).map((line) => line.split(" "));

describe("the way from a state to another", () => {
  it("is that of the kernel's list, and of its arcs, and there is no other", () => {
    const known = new Map(
      [...LISTED, ...ARCS].map((states) =>
        [`${states[0]} ${states.at(-1)}`, states.slice(1).join(" ")] as const
      ),
    );
    equal(known.size, LISTED.length + ARCS.length);
    for (const from of MIGRATION_STATES) {
      for (const to of MIGRATION_STATES) {
        if (from === "error" || to === "error") equal(way(from, to), "none");
        else if (from === to) equal(way(from, to), "");
        else equal(way(from, to), known.get(`${from} ${to}`) ?? "none", `${from} to ${to}`);
      }
    }
    equal(known.size, 7 * 6 - 2, "all but the two that are blocked");
  });

  it("passes over states that a device does not have", () => {
    equal(way("running", "stop-copy", COPY), "stop stop-copy");
    equal(way("running", "resuming", COPY), "stop resuming");
    equal(way("stop-copy", "running", COPY), "stop running");
    equal(way("running", "stop-copy", COPY | P2P), "running-p2p stop stop-copy");
    equal(way("pre-copy", "stop-copy", COPY | PRE), "stop-copy");
    equal(way("pre-copy", "stop", COPY | PRE), "running stop");
    equal(way("stop", "pre-copy", COPY | PRE), "running pre-copy");
    equal(way("running", "pre-copy", COPY | P2P), "none");
    equal(way("running", "stop", 0), "none");
  });
});

describe("a change of state is refused", () => {
  const refused = (from: MigrationState, to: number, flags = ALL): string =>
    short(firstRefusal(MIGRATION_RULES, { state: to }, { current: from, flags }));

  it("for a state that there is not, or not in the device, or the error state", () => {
    equal(refused("running", 8), "migration.state 22");
    equal(refused("running", 0), "migration.state 22");
    equal(refused("running", 6, COPY), "migration.state 22");
    const { reason } = firstRefusal(MIGRATION_RULES, { state: 6 }, {
      current: "running",
      flags: COPY,
    })!;
    match(reason, /has: stop, running, stop-copy, resuming; got pre-copy$/);
  });

  it("from the error state, whatever is wanted", () => {
    equal([0, 2, 9].map((to) => refused("error", to)), Array(3).fill("migration.error 22"));
  });

  it("from stop-copy to pre-copy, and nowhere else", () => {
    const blocked: string[] = [];
    for (const from of MIGRATION_STATES.slice(1)) {
      for (let to = 1; to < 8; to += 1) {
        if (refused(from, to) !== "allowed") {
          blocked.push(`${from} ${MIGRATION_STATES[to]} ${refused(from, to)}`);
        }
      }
    }
    equal(blocked, [
      "stop-copy pre-copy migration.arc 22",
      "stop-copy pre-copy-p2p migration.arc 22",
    ]);
  });
});
