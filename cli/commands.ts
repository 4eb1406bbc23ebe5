/**
 * The one table of commands.
 *
 * @module
 */

import type { CommandRow } from "./option.ts";

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
    operands: "[DEVICE...]",
    count: [0, Infinity],
    about: "who locks memory and holds VFIO; what pinning costs",
    text: `Without DEVICE: VmLck and VmPin of each process that has any, with its limit
(RLIMIT_MEMLOCK) and whether CAP_IPC_LOCK lifts it; and who has containers,
groups and devices open. VFIO's type1 counts pages in VmLck, iommufd in VmPin.

With DEVICE: attaches and maps, shows what that should cost and what the kernel
charged, and follows the pins of drivers round by round.`,
    options: [
      {
        name: "map",
        kind: "list",
        value: "IOVA:SIZE",
        about: "for DEVICE, map SIZE bytes there (default: 64M)",
      },
      { name: "watch", kind: "flag", about: "show processes again and again" },
      {
        name: "interval",
        kind: "value",
        value: "S",
        about: "seconds between rounds (default: 1)",
      },
      {
        name: "count",
        kind: "value",
        value: "N",
        about: "rounds (default: until Ctrl-C; 1 for DEVICE)",
      },
      {
        name: "pid",
        kind: "list",
        value: "PID",
        about: "this process only; may be repeated",
      },
    ],
    examples: [
      ["pins", "who locks memory"],
      ["pins --pid 1301 --pid 1302", "two processes"],
      ["pins --watch --interval 5", "every five seconds, until Ctrl-C"],
      [`pins ${MODEL_DEVICE} --map 4G:64M`, "what a device and a mapping cost"],
    ],
  },
  {
    name: "scope",
    operands: "DEVICE...",
    count: [1, Infinity],
    about: "what dirty means: all mapped pages, or pinned ones",
    text: `Attaches the devices to one container and tells whether type1 reports every
mapped page as dirty or pinned pages only, and which group decides it. Where
the groups do not tell, a page that no driver knows of is mapped and read: if
it is dirty, every mapped page is.`,
    options: [
      { name: "no-probe", kind: "flag", about: "by rule only: map and read nothing" },
    ],
    examples: [
      [`scope ${MODEL_DEVICE}`, "why is everything dirty"],
      [`scope ${MODEL_DEVICE} group:12 --no-probe`, "two groups in one container"],
    ],
  },
  {
    name: "plan",
    operands: "[DEVICE...]",
    count: [0, Infinity],
    about: "whether mappings will fit, or what stops them",
    text: `Tests mappings against the limits in the kernel's order: the request itself,
overlaps, dma_entry_limit, IOVA ranges, RLIMIT_MEMLOCK. Maps nothing. Without
DEVICE the limits of the host count; IOVA ranges are known with one only.
Exit code 1 if it does not fit.`,
    options: [
      {
        name: "map",
        kind: "list",
        value: "IOVA:SIZE[,N]",
        about: "N mappings side by side; IOVA may be any",
      },
    ],
    examples: [
      ["plan --map 0:2M,65536", "128 GiB in huge pages: one mapping too many"],
      [`plan --map any:64G ${MODEL_DEVICE}`, "for the ranges of a device"],
    ],
  },
  {
    name: "mdev",
    operands: "VERB [NAME...]",
    count: [1, 4],
    about: "list, make and remove mediated devices",
    text: `types                       what can be made, and what there is
create PARENT TYPE [UUID]   makes one; without UUID with a new one
remove UUID                 removes one; refuses while a program has it open:
                            the kernel would wait until that ends
PARENT and TYPE are those that types shows. create and remove need root.`,
    options: [],
    examples: [
      ["mdev types", "what there is"],
      ["mdev create model_mdev model_mdev-pin --model", "make one, on the model"],
    ],
  },
  {
    name: "man",
    operands: "",
    count: [0, 0],
    about: "the manual page, for man -l -",
    text: `Prints the manual page as troff: all commands and options, the fields of their
output, and what to beware of.`,
    options: [],
    examples: [
      ["man | man -l -", "read it"],
      ["man > pinscope.1", "keep it"],
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
