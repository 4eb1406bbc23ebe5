/**
 * The migration states of a device, version 2 of the protocol, and which one leads to which.
 *
 * @see drivers/vfio/vfio_main.c, vfio_mig_get_next_state
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import {
  VFIO_MIGRATION_P2P,
  VFIO_MIGRATION_PRE_COPY,
  VFIO_MIGRATION_STOP_COPY,
} from "../uapi/flag.ts";
import type { Rule, RuleState } from "./refusal.ts";

/**
 * A migration state:
 *
 * - `error`: a change failed, only a reset leads out
 * - `stop`: stopped: nothing of it changes, and it does not touch memory
 * - `running`: as always
 * - `stop-copy`: stopped, and its state can be read from the stream
 * - `resuming`: stopped, and a new state is written to the stream
 * - `running-p2p`: running, but it begins nothing with other devices
 * - `pre-copy`: running, and a first part of its state can be read from the stream
 * - `pre-copy-p2p`: both of the two before
 */
export type MigrationState =
  | "error"
  | "stop"
  | "running"
  | "stop-copy"
  | "resuming"
  | "running-p2p"
  | "pre-copy"
  | "pre-copy-p2p";

/** The states by the kernel's numbers. @see enum vfio_device_mig_state */
export const MIGRATION_STATES: readonly MigrationState[] = [
  "error",
  "stop",
  "running",
  "stop-copy",
  "resuming",
  "running-p2p",
  "pre-copy",
  "pre-copy-p2p",
];

const COPY = VFIO_MIGRATION_STOP_COPY;
const P2P = VFIO_MIGRATION_P2P;
const PRE = VFIO_MIGRATION_PRE_COPY;

/** The flags that a device must have for a state. */
const NEEDS: Readonly<Record<MigrationState, number>> = {
  "error": 0,
  "stop": COPY,
  "running": COPY,
  "stop-copy": COPY,
  "resuming": COPY,
  "running-p2p": COPY | P2P,
  "pre-copy": COPY | PRE,
  "pre-copy-p2p": COPY | P2P | PRE,
};

type Steps = Readonly<Partial<Record<MigrationState, MigrationState>>>;

/**
 * The first step from a state towards another, for a device with all states. A state that is not
 * listed is reached at once; nothing leads to or from `error`.
 */
const STEPS: Readonly<Record<MigrationState, Steps>> = {
  "error": {},
  "stop": {
    "running": "running-p2p",
    "pre-copy": "running-p2p",
    "pre-copy-p2p": "running-p2p",
  },
  "running": {
    "stop": "running-p2p",
    "pre-copy-p2p": "running-p2p",
    "stop-copy": "running-p2p",
    "resuming": "running-p2p",
  },
  "stop-copy": {
    "running": "stop",
    "pre-copy": "error",
    "pre-copy-p2p": "error",
    "resuming": "stop",
    "running-p2p": "stop",
  },
  "resuming": {
    "running": "stop",
    "pre-copy": "stop",
    "pre-copy-p2p": "stop",
    "stop-copy": "stop",
    "running-p2p": "stop",
  },
  "running-p2p": { "pre-copy": "running", "stop-copy": "stop", "resuming": "stop" },
  "pre-copy": {
    "stop": "running",
    "stop-copy": "pre-copy-p2p",
    "resuming": "running",
    "running-p2p": "running",
  },
  "pre-copy-p2p": { "stop": "running-p2p", "running": "running-p2p", "resuming": "running-p2p" },
};

/** Whether a device with these flags has the state. */
export function hasState(state: MigrationState, flags: number): boolean {
  return (flags & NEEDS[state]) === NEEDS[state];
}

/**
 * The state that the kernel takes a device to next on the way to another; the same where it is there
 * already.
 *
 * @param flags VFIO_MIGRATION flags of the device; states that it does not have are passed over.
 * @returns The state; undefined where none leads there.
 */
export function nextState(
  from: MigrationState,
  to: MigrationState,
  flags: number,
): MigrationState | undefined {
  if (from === "error" || to === "error") return undefined;
  if (!hasState(from, flags) || !hasState(to, flags)) return undefined;
  let next = STEPS[from][to] ?? to;
  while (!hasState(next, flags)) next = STEPS[next][to] ?? to;
  return next === "error" ? undefined : next;
}

/**
 * The states that a device passes through on its way to another, with that as the last one.
 *
 * @returns The states, none where it is there already; undefined where no way leads there.
 */
export function migrationPath(
  from: MigrationState,
  to: MigrationState,
  flags: number,
): MigrationState[] | undefined {
  const path: MigrationState[] = [];
  for (let at = from; at !== to || path.length === 0;) {
    const next = nextState(at, to, flags);
    if (next === undefined) return undefined;
    if (next === at) break; // it is there
    path.push(next);
    at = next;
  }
  return path;
}

/** A change of state. */
export interface StateRequest {
  /** The kernel's number of the wanted state. */
  readonly state: number;
}

/** The device of which it is asked. */
export interface StateState extends RuleState {
  /** Its state now. */
  readonly current: MigrationState;
  /** Its VFIO_MIGRATION flags. */
  readonly flags: number;
}

const SOURCE = "vfio_mig_get_next_state";

/** The rules of SET of MIG_DEVICE_STATE: its driver asks the kernel for the way. */
export const MIGRATION_RULES: readonly Rule<StateRequest, StateState>[] = [
  {
    name: "migration.error",
    source: SOURCE,
    errno: ERRNO.EINVAL,
    about: "the device is not in the error state: only a reset leads out",
    test: (_, { current }) =>
      current === "error" ? "the device is in the error state: only a reset leads out" : undefined,
  },
  {
    name: "migration.state",
    source: SOURCE,
    errno: ERRNO.EINVAL,
    about: "the device has the state, and it is not the error state",
    test: ({ state }, { flags }) => {
      const name = MIGRATION_STATES[state];
      if (name !== undefined && name !== "error" && hasState(name, flags)) return undefined;
      const has = MIGRATION_STATES.filter((each) => each !== "error" && hasState(each, flags));
      return `the state must be one that the device has: ${has.join(", ")}; got ${name ?? state}`;
    },
  },
  {
    name: "migration.arc",
    source: SOURCE,
    errno: ERRNO.EINVAL,
    // Linux 6.12 looks for the way and never ends: from the error state it goes to the error state.
    about: "a way leads there: from stop-copy none goes to pre-copy; the kernel may hang on it",
    test: ({ state }, { current, flags }) => {
      const to = MIGRATION_STATES[state];
      if (to === undefined || migrationPath(current, to, flags) !== undefined) return undefined;
      return `no way leads from ${current} to ${to}; go to running first`;
    },
  },
  {
    name: "migration.data",
    source: "vfio_ioctl_device_feature_mig_device_state",
    errno: ERRNO.EINVAL,
    about: "leaving resuming: what was written is a whole state; its driver tests that",
  },
];
