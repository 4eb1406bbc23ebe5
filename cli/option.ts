/**
 * The one table of commands and options: it drives parsing and help.
 *
 * @module
 */

import type { OptionSpec } from "./parse.ts";

/** An option with what help says of it. */
export interface OptionRow extends OptionSpec {
  /** What its value is called, for one that takes a value. */
  readonly value?: string;
  readonly about: string;
}

/** The name of a command. */
export type CommandName = "info" | "bind" | "unbind" | "dirty" | "pins" | "demo";

/** A command with what help says of it. */
export interface CommandRow {
  readonly name: CommandName;
  /** What stands behind the options, as "DEVICE..."; empty for nothing. */
  readonly operands: string;
  /** The fewest and the most of them. */
  readonly count: readonly [number, number];
  /** One line. */
  readonly about: string;
  /** What it does, in lines for a terminal. */
  readonly text: string;
  readonly options: readonly OptionRow[];
  /** Command lines, without "pinscope", and what they are for. */
  readonly examples: readonly (readonly [string, string])[];
}

/** Options that every command has. */
export const COMMON: readonly OptionRow[] = [
  { name: "json", kind: "flag", about: "one JSON object a line, for programs" },
  { name: "model", kind: "flag", about: "use the built-in model kernel, not this host" },
  { name: "help", kind: "flag", short: "h", about: "this text" },
];

/** The option that stands alone. */
export const VERSION_ROW: OptionRow = {
  name: "version",
  kind: "flag",
  short: "V",
  about: "the version",
};

const MODEL_DEVICE = "0000:00:10.0";

/** The commands, in the order of help. */
export const COMMANDS: readonly CommandRow[] = [
  {
    name: "info",
    operands: "[DEVICE]",
    count: [0, 1],
    about: "what the host, or a device, has for VFIO",
    text: `Without DEVICE: the kernel, /dev/vfio, /dev/iommu, and each IOMMU group with
its devices and drivers, whether VFIO can have it, and what to type so that
it can. Needs no right, and changes nothing.

With DEVICE: attaches its group to a container for a moment, and shows page
sizes, IOVA ranges, dirty tracking, regions, interrupts and features.`,
    options: [],
    examples: [
      ["info", "which devices there are, and what can be done with them"],
      [`info ${MODEL_DEVICE}`, "all about one device"],
      ["info --json | grep '\"ready\"'", "the groups that can be used now"],
    ],
  },
  {
    name: "bind",
    operands: "DEVICE",
    count: [1, 1],
    about: "give a PCI device to vfio-pci",
    text: `Sets driver_override of the device to vfio-pci, takes it from its driver and
probes again. Refuses a device that the host uses: with a mounted disk or
swap on it, or a network interface that is up. Needs root.`,
    options: [],
    examples: [
      [`bind ${MODEL_DEVICE}`, "let scripts use the device"],
      [`unbind ${MODEL_DEVICE}`, "give it back to the host"],
    ],
  },
  {
    name: "unbind",
    operands: "DEVICE",
    count: [1, 1],
    about: "give a PCI device back to the host",
    text: `Clears driver_override of the device, takes it from vfio-pci and probes again,
so that its usual driver gets it. Refuses while a program has its group open:
the kernel would wait until that ends. Needs root.`,
    options: [],
    examples: [
      [`unbind ${MODEL_DEVICE}`, "give the device back"],
      [`bind ${MODEL_DEVICE}`, "and take it again"],
    ],
  },
  {
    name: "dirty",
    operands: "DEVICE...",
    count: [1, Infinity],
    about: "which pages of mapped memory are dirty, round by round",
    text: `Attaches the devices to one container, maps memory for them, tracks its dirty
pages, and shows after each interval the runs of pages that became dirty.
Each round clears what it reads. Labels tell what "dirty" means:
  all-mapped    every mapped page, by rule: nothing is known about writes
  pinned-scope  a driver has or had it pinned, or wrote it: maybe written
  unknown       one of these; incomplete: after an error, every page`,
    options: [
      {
        name: "map",
        kind: "list",
        value: "IOVA:SIZE",
        about: "map SIZE bytes there (default: 64M, lowest free)",
      },
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
    ],
    examples: [
      [`dirty ${MODEL_DEVICE}`, "one round after a second"],
      [`dirty ${MODEL_DEVICE} --map 4G:1G --interval 0.5`, "twice a second, until Ctrl-C"],
      [`dirty group:12 --count 3 --json`, "every run of three rounds, as JSON"],
    ],
  },
  {
    name: "pins",
    operands: "",
    count: [0, 0],
    about: "which processes have locked or pinned memory",
    text: `Shows VmLck and VmPin of each process that has any, with its limit
(RLIMIT_MEMLOCK) and whether CAP_IPC_LOCK lifts it. VFIO's type1 counts pages
in VmLck, iommufd in VmPin. With --json in bytes; a limit of null is none.`,
    options: [
      {
        name: "pid",
        kind: "list",
        value: "PID",
        about: "this process only, also with nothing locked; may be repeated",
      },
    ],
    examples: [
      ["pins", "who locks memory"],
      ["pins --pid 1301 --pid 1302", "two processes"],
    ],
  },
  {
    name: "demo",
    operands: "",
    count: [0, 0],
    about: "the main job on the model kernel, step by step",
    text: `Sets up a container on the built-in model kernel, maps memory, lets a driver
pin and write, and shows dirty pages and pin counts. Needs no permission and no
VFIO; the output is the same each time.`,
    options: [],
    examples: [
      ["demo", "see what Pinscope does"],
      ["demo --json", "the same as JSON lines"],
    ],
  },
];

/** Finds a command by its name. */
export function commandNamed(name: string): CommandRow | undefined {
  return COMMANDS.find((command) => command.name === name);
}

/** All options of a command. */
export function optionsOf(command: CommandRow): readonly OptionRow[] {
  return [...command.options, ...COMMON];
}
