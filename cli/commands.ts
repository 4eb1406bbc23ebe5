/**
 * The one list of commands. Each has its row in `command/`, and its work in a module beside this one,
 * which is loaded when the command is called for.
 *
 * @module
 */

import { BIND } from "./command/bind.ts";
import { COMPLETION } from "./command/completion.ts";
import { CONFORM } from "./command/conform.ts";
import { CONVERGE } from "./command/converge.ts";
import { DEMO } from "./command/demo.ts";
import { DIRTY } from "./command/dirty.ts";
import { DIFF } from "./command/diff.ts";
import { HEAT } from "./command/heat.ts";
import { INFO } from "./command/info.ts";
import { DECODE } from "./command/decode.ts";
import { MAN } from "./command/man.ts";
import { MDEV } from "./command/mdev.ts";
import { NEW } from "./command/new.ts";
import { PINS } from "./command/pins.ts";
import { PLAN } from "./command/plan.ts";
import { QUIRKS } from "./command/quirks.ts";
import { REPLAY } from "./command/replay.ts";
import { REPORT } from "./command/report.ts";
import { SCOPE } from "./command/scope.ts";
import { UNBIND } from "./command/unbind.ts";
import { WATCH } from "./command/watch.ts";
import type { CommandRow } from "./option.ts";

/** The commands, in the order of help. */
export const COMMANDS: readonly CommandRow[] = [
  INFO,
  BIND,
  UNBIND,
  DIRTY,
  WATCH,
  HEAT,
  REPORT,
  CONVERGE,
  DIFF,
  PINS,
  SCOPE,
  PLAN,
  MDEV,
  REPLAY,
  DECODE,
  CONFORM,
  QUIRKS,
  NEW,
  MAN,
  COMPLETION,
  DEMO,
];

/** Finds a command by its name. */
export function commandNamed(name: string): CommandRow | undefined {
  return COMMANDS.find((command) => command.name === name);
}
