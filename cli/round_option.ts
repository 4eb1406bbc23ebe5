import type { OptionRow } from "./option.ts";

/** Options of commands that measure rounds. */
export const ROUND_OPTIONS: readonly OptionRow[] = [
  {
    name: "map",
    kind: "list",
    value: "IOVA:SIZE",
    about: "map SIZE bytes there (default: 64M, lowest free)",
  },
  {
    name: "source",
    kind: "value",
    value: "NAME",
    about: "type1, or log: the device's own (default: log if any)",
  },
  { name: "interval", kind: "value", value: "S", about: "seconds before each round (default: 1)" },
];
