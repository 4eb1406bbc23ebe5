import type { OptionRow } from "./option.ts";
import { SOURCES } from "./source_name.ts";

/** The option of commands that map memory, and check that there is so much. */
export const OVERCOMMIT: OptionRow = {
  name: "overcommit",
  kind: "flag",
  about: "map even more than the memory that is available",
};

/** Options of commands that keep rounds, or show kept ones. */
export const RECORD_OPTIONS: readonly OptionRow[] = [
  {
    name: "save",
    kind: "value",
    value: "FILE",
    file: "write",
    about: "append the rounds to this recording",
  },
  {
    name: "from",
    kind: "value",
    value: "FILE",
    file: "read",
    takesDash: true,
    about: "show a recording, not a DEVICE; - is stdin",
  },
  { name: "session", kind: "value", value: "N", about: "of the recording (default: the last)" },
];

/** Options of commands that measure rounds. */
export const ROUND_OPTIONS: readonly OptionRow[] = [
  {
    name: "map",
    kind: "list",
    value: "IOVA:SIZE",
    about: "map SIZE bytes there (default: 64M, where it is free)",
  },
  {
    name: "source",
    kind: "value",
    value: "NAME",
    words: SOURCES,
    about: "log, hwpt or type1 (default: the first that works)",
  },
  OVERCOMMIT,
  { name: "interval", kind: "value", value: "S", about: "seconds before each round (default: 1)" },
  ...RECORD_OPTIONS,
];
