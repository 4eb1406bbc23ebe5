import { OVERCOMMIT, RECORD_OPTIONS } from "../round_option.ts";
import { SOURCES } from "../source_name.ts";
import { type CommandRow, MODEL_DEVICE } from "../option.ts";

/** What help and the manual page say of `pinscope dirty`. */
export const DIRTY: CommandRow = {
  name: "dirty",
  load: async () => (await import("../dirty.ts")).dirty,
  operands: "[DEVICE...]",
  count: [0, Infinity],
  about: "which pages of mapped memory are dirty, round by round",
  text: `Attaches the devices to one container, maps memory for them, tracks its dirty
pages, and shows after each interval the runs of pages that became dirty.
Each round clears what it reads. The source is the device's own log, where it
keeps one; else hwpt, the dirty bits of its IOMMU through iommufd; else type1,
which knows what is mapped or pinned. Labels tell what "dirty" means:
  all-mapped    every mapped page, by rule: nothing is known about writes
  pinned-scope  a driver has or had it pinned, or wrote it: maybe written
  written       the device wrote it, as its log or its IOMMU says
  unknown       all-mapped or pinned-scope, and nothing tells which
  incomplete    every mapped page, after an error that may have lost bits`,
  options: [
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
    {
      name: "interval",
      kind: "value",
      value: "S",
      about: "seconds before each round (default: 1)",
    },
    {
      name: "count",
      kind: "value",
      value: "N",
      about: "rounds (default: 1; with --interval: until Ctrl-C)",
    },
    {
      name: "budget",
      kind: "value",
      value: "SIZE",
      about: "most bytes of bitmap in one read (default: 1M)",
    },
    {
      name: "max-runs",
      kind: "value",
      value: "N",
      about: "most runs to show in a round (default: 16)",
    },
    { name: "csv", kind: "flag", about: "each run as a line of CSV, numbers in decimal" },
    {
      name: "metrics",
      kind: "flag",
      about: "send each round to an OpenTelemetry collector",
    },
    ...RECORD_OPTIONS,
  ],
  examples: [
    [`dirty ${MODEL_DEVICE}`, "one round after a second"],
    [`dirty group:12 --count 3 --json`, "every run of three rounds, as JSON"],
    [`dirty ${MODEL_DEVICE} --interval 1 --save host.psr`, "keep the rounds, until Ctrl-C"],
    ["dirty --from host.psr", "look at them, also elsewhere"],
  ],
};
