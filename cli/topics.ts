/**
 * The one list of topics: what help has besides commands.
 *
 * @module
 */

import type { CommandName } from "./option.ts";
import { CONCEPTS } from "./topic/concepts.ts";
import { LABELS } from "./topic/labels.ts";
import { SCOPE_RULE } from "./topic/scope_rule.ts";
import { ACCOUNTS } from "./topic/accounts.ts";
import { EINVAL } from "./topic/einval.ts";
import { PERMISSIONS } from "./topic/permissions.ts";
import { LAB } from "./topic/lab.ts";

/** A page of help about something that is no command. */
export interface Topic {
  readonly name: string;
  /** One line. */
  readonly about: string;
  /** The commands whose help points here. */
  readonly commands: readonly CommandName[];
  /** Lines for a terminal. */
  readonly text: string;
}

/** The topics, in the order in which they may be read. */
export const TOPICS: readonly Topic[] = [
  CONCEPTS,
  LABELS,
  SCOPE_RULE,
  ACCOUNTS,
  EINVAL,
  PERMISSIONS,
  LAB,
];
