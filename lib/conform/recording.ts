/** What a kernel really answered to the suite, written down in the lab. */

import type { Answers } from "./check.ts";

/** The answers of one kernel. */
export interface Recording {
  /** Its short name, as "6.12". */
  readonly name: string;
  /** What uname says, as "6.12.95+deb12-amd64". */
  readonly release: string;
  /** The version of the distribution's package, as the kernel says it. */
  readonly version: string;
  /** When it was recorded, as "2026-11-23". */
  readonly date: string;
  /** The machines of the lab on which it was recorded. */
  readonly profiles: readonly string[];
  /** Checks that could not be recorded, with the reason. */
  readonly missing: Readonly<Record<string, string>>;
  /** The answers by check. */
  readonly answers: Readonly<Record<string, Answers>>;
}
