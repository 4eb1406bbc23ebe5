/** What the migration states of a device answer, version 2 of the protocol. */

import { MIGRATION_STATES } from "../../rules/migration.ts";
import type { Bench } from "../bench.ts";
import type { Check, Need, Say } from "../check.ts";
import { RawLogger } from "../logger.ts";
import { must, type RawFile, value } from "../raw.ts";

const [STOP, RUNNING, STOP_COPY, RESUMING, PRE_COPY, PRE_COPY_P2P] = [1, 2, 3, 4, 6, 7] as const;
/** What MIGRATION says of a device that has the two of them. */
const HAS_PRE_COPY = 4;
/** Numbers of all states, and of some that there are not. */
const STATES = [...MIGRATION_STATES.keys()];
const NAMES: readonly string[] = MIGRATION_STATES;

const check = (
  name: string,
  rule: string,
  need: Need & ("log" | "migrates"),
  run: (device: RawLogger, say: Say, bench: Bench) => void,
): Check => ({
  name: `migration: ${name}`,
  rule,
  needs: [need],
  run: (bench, say) => {
    using device = new RawLogger(bench, need === "log" ? bench.logging : bench.migrating);
    run(device, say, bench);
  },
});

/** Everything that can be read from a stream. */
function readAll({ kernel, fd }: RawFile): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (;;) {
    const part = new Uint8Array(4096);
    const length = must(kernel.read(fd, part), "read of the stream");
    if (length === 0) return parts;
    parts.push(part.slice(0, length));
  }
}

/** Writes all of it: a stream may take a part at a time. */
function writeAll({ kernel, fd }: RawFile, parts: readonly Uint8Array[]): void {
  for (const part of parts) {
    for (let done = 0; done < part.length;) {
      done += must(kernel.write(fd, part.subarray(done)), "write of the stream");
    }
  }
}

/** A whole state of the device, which runs before and after. */
function save(device: RawLogger): Uint8Array[] {
  using stream = device.open(STOP_COPY);
  const parts = readAll(stream);
  device.mustGo(RUNNING);
  return parts;
}

/** Goes from RUNNING to a state; a state that is left must be whole. */
function enter(device: RawLogger, state: number, saved: readonly Uint8Array[]): string {
  const { answer, stream } = device.go(state);
  if (stream === undefined) return answer;
  using _stream = stream;
  if (state === RESUMING) writeAll(stream, saved);
  return `${answer}, a stream`;
}

/**
 * Whether a change must not be asked for: where the kernel's table says that none leads there, its
 * search for the next state that the device has never ends, and the process cannot be killed.
 *
 * @see drivers/vfio/vfio_main.c, vfio_mig_get_next_state, and what state_flags_table has of the error
 */
function hangs(from: number, to: number, flags: number): boolean {
  return from === STOP_COPY && (to === PRE_COPY || to === PRE_COPY_P2P) &&
    (flags & HAS_PRE_COPY) !== 0;
}

/** From each state to each. */
function arcs(device: RawLogger, say: Say): void {
  const saved = save(device);
  const flags = Number(device.flags());
  for (const from of STATES) {
    const answers = STATES.map((to) => {
      device.mustGo(RUNNING);
      if (!enter(device, from, saved).startsWith("OK")) return undefined;
      if (hangs(from, to, flags)) return `${NAMES[to]}: not asked`;
      const answer = enter(device, to, saved);
      return `${NAMES[to]}: ${answer}${answer.startsWith("OK") ? "" : `, in ${device.state()}`}`;
    });
    say(
      `from ${NAMES[from]}`,
      answers.every((one) => one === undefined) ? "not there" : answers.join("; "),
    );
  }
  device.mustGo(RUNNING);
}

const checks: readonly Check[] = [
  check("what a device has", "migration.state", "log", (device, say) => {
    say("flags", device.flags());
    say("state", device.state());
    say("data", device.dataSize());
    for (const state of [0, 8, 0xffff_ffff]) say(`to ${state}`, device.go(state).answer);
    say("state in the end", device.state());
  }),
  check(
    "what a device without pre-copy and P2P has",
    "migration.state",
    "migrates",
    (device, say) => {
      say("flags", device.flags());
      for (const state of [0, 5, 6, 7, 8]) say(`to ${state}`, device.go(state).answer);
      say("state in the end", device.state());
    },
  ),
  check("from each state to each", "migration.arc", "log", (device, say) => arcs(device, say)),
  check(
    "from each state to each that the least device has",
    "migration.arc",
    "migrates",
    (device, say) => {
      arcs(device, say);
    },
  ),
  check("the error state", "migration.error", "log", (device, say) => {
    device.pinner.failNext();
    say("a change that fails", device.go(STOP).answer);
    say("state", device.state());
    say("to running", device.go(RUNNING).answer);
    say("to the error state", device.go(0).answer);
    say("data", device.dataSize());
  }),
  check("a state that is not whole", "migration.data", "log", (device, say) => {
    const [first = new Uint8Array()] = save(device);
    const { kernel } = device.device;
    using stream = device.open(RESUMING);
    say("half of it", value(kernel.write(stream.fd, first.subarray(0, first.length / 2))));
    say("to stop", device.go(STOP).answer);
    say("state", device.state());
  }),
  check("a stream", "migration.stream", "migrates", (device, say) => {
    const { kernel } = device.device;
    using stream = device.open(STOP_COPY);
    const all = readAll(stream);
    say("bytes", `${all.reduce((sum, { length }) => sum + length, 0)}`);
    say("write to it", value(kernel.write(stream.fd, new Uint8Array(4))));
    device.mustGo(STOP);
    const after = value(kernel.read(stream.fd, new Uint8Array(4)));
    say("read when the state is left", after);
    using resuming = device.open(RESUMING);
    say("read of what is written to", value(kernel.read(resuming.fd, new Uint8Array(4))));
    say("nonsense", value(kernel.write(resuming.fd, new Uint8Array(64).fill(9))));
  }),
  check("pre-copy", "migration.stream", "log", (device, say) => {
    using _stream = device.open(PRE_COPY);
    say("state", device.state());
    say("the stream goes on", device.go(STOP_COPY).stream === undefined ? "yes" : "another one");
    say("state then", device.state());
    device.mustGo(RUNNING);
    say("in the end", device.state());
  }),
];

/** All checks of the file. */
export const migrationChecks: readonly Check[] = checks;
