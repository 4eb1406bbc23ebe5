/**
 * What the manual page says beyond help: the fields of the output, and what to beware of.
 *
 * @module
 */

import type { CommandName } from "./option.ts";

/** What is known of a command besides its options. */
export interface ManualText {
  /** Columns for people, and members of JSON lines, with what they mean. */
  readonly fields: readonly (readonly [string, string])[];
  /** When the answer is not what it seems. */
  readonly caveats: readonly string[];
}

const VMLCK =
  "VmLck belongs to the whole process: mlock, other containers and iommufd in one of its " +
  "modes count there too.";

/** By command; commands without a text of their own have nothing to add. */
export const MANUAL: Readonly<Partial<Record<CommandName, ManualText>>> = {
  dirty: {
    fields: [
      ["iova", "address of the first page of a run, as the device uses it"],
      ["size", "bytes of the run; a hexadecimal string in JSON"],
      ["pages", "the same in pages of the bitmap"],
      ["label", "what the bits mean: all-mapped, pinned-scope, unknown or incomplete"],
      ["windows", "reads of the bitmap that the round took"],
    ],
    caveats: [
      "Reads go on a thread of their own. After a signal it waits two seconds for one that is under " +
      "way; if the kernel does not answer, it says what is not released, and ends.",
      "A plain vfio-pci device on type1 makes every mapped page dirty on every read: the kernel " +
      "does not see what it writes.",
      "A recording keeps what was read in whole rounds: one that a signal cuts is not kept. Each round " +
      "is on the disk before the next begins.",
      "Reading clears: two programs cannot track one container.",
      "Type1 reads whole mappings, so a budget is exceeded by a single large one.",
      "hwpt is read from a page table with entries of 4 KiB, which takes more memory and time to map " +
      "than one with huge entries, and tells every page by itself.",
    ],
  },
  watch: {
    fields: [
      [
        "dirty, pinned",
        "the bars: a cell for several pages, darker where more of them are in the set",
      ],
      ["new, gone", "pages that were not dirty in the round before, and that were and are not"],
      ["rate, most", "dirty bytes a second of the last rounds, and the most of them"],
      ["VmLck", "what this process has locked, of its limit"],
      ["ioctl", "time that the reads of the round took in the kernel"],
      ["+N -N", "new and gone, where each round is a line"],
      ["sample", "type of the JSON object of a round; elapsed and readTime in milliseconds"],
    ],
    caveats: [
      "Pinned is what a second read, right behind the first, still has: a page that is written " +
      "between the two appears there. Where every mapped page is dirty it cannot be told.",
      "Paused, it reads nothing: what is dirtied meanwhile comes with the next round.",
      "--from plays a round after each --interval, at whatever speed they were measured.",
    ],
  },
  heat: {
    fields: [
      [
        "columns, rows",
        "rounds, and cells of addresses; several rounds share a column if they are many",
      ],
      ["shade", "the share of the pages of a cell that were dirty: the scale is below"],
      [
        "lines over cells",
        "every mapped page was dirty by rule there: nothing is known about writes",
      ],
    ],
    caveats: ["A cell with one dirty page of many is drawn in the lightest shade, not as clean."],
  },
  report: {
    fields: [
      ["rate", "dirty bytes a second, round by round"],
      ["heat map", "as of heat; the pages under the pointer are told"],
      ["accounts", "VmLck, its limit and the mappings left, after the first round and the last"],
      [
        "pinned runs",
        "pages pinned in the last round; where that cannot be told, dirty in each round",
      ],
    ],
    caveats: [
      "The page holds the command line and the kernel's release: look before you pass it on.",
    ],
  },
  converge: {
    fields: [
      ["BEST, WORST", "if as few, or as many, pages get dirty as the measured rounds allow"],
      ["rounds", "times that memory is sent while the device runs; the first sends everything"],
      ["sent", "bytes until the end, with those that are sent when the device stands still"],
      ["downtime", "how long it stands still if it is stopped after these rounds"],
    ],
    caveats: [
      "It is taken for granted that the device goes on as in the rounds. Intervals that were not " +
      "measured are bounded by the lines through those that were: measure shorter rounds, or more " +
      "of them, to bring the two bounds together.",
      "Only memory that is mapped counts, and only what the source of the bits reports.",
    ],
  },
  diff: {
    fields: [
      ["ONLY A, ONLY B, BOTH", "dirty pages of one recording, of the other, and of both"],
      ["ROUND", "rounds are compared by their place; a missing one has no pages"],
    ],
    caveats: ["Rounds of different length differ, whatever the device does."],
  },
  pins: {
    fields: [
      ["PID, COMMAND", "the process"],
      ["VmLck", "bytes locked: mlock, and every page that type1 pinned for the process"],
      ["VmPin", "bytes pinned by others, iommufd among them; type1 does not move it"],
      ["LIMIT", "RLIMIT_MEMLOCK, the soft value"],
      ["CAP_IPC_LOCK", "whether the limit is lifted; pages are counted all the same"],
      ["EXPECTED, CHARGED", "change of VmLck by the rules, and by the kernel"],
      ["ENTRIES", "change of the mappings that the container has left"],
      [
        "watch",
        "type of the one JSON object a round with --watch: processes, holders, unseen processes",
      ],
      [
        "pinned, new, released, once",
        "pages pinned at the end of a round; of those not before; no " +
        "more; and pages that were written, or pinned in between only",
      ],
    ],
    caveats: [
      VMLCK,
      "Pinned pages cannot be told apart where a group makes every mapped page dirty: see scope.",
      "A driver that pins or releases between the two reads of a round appears as pinned.",
      "Before Linux v6.18 the kernel does not tell which device a descriptor is for, and none tells " +
      "which container a group is in.",
    ],
  },
  scope: {
    fields: [
      [
        "dirty scope",
        "all-mapped: every mapped page; pinned-scope: pages pinned or written by drivers",
      ],
      [
        "by rule",
        "it follows from the groups: vfio-pci never pins, of mediated devices only pins count",
      ],
      ["by evidence", "a page that no driver knows of was read, clean or dirty"],
      ["open", "nothing tells: a driver behind an IOMMU may have pinned or not"],
    ],
    caveats: [
      "A driver can pin for the first time at any moment: all-mapped by evidence is true for the " +
      "moment of the probe only; pinned-scope stays true until a group joins.",
      "The probe maps a page at a free address and unmaps it again.",
    ],
  },
  plan: {
    fields: [
      ["fits", "whether every mapping will be accepted"],
      ["VmLck would be", "locked memory after those that fit"],
      ["refused with", "the first one that does not fit, what the kernel answers, and the limit"],
      ["memory", "that all of it would be pinned, and so much memory is not available"],
      ["later", "what is checked only at a pin, or when a group behind an IOMMU joins"],
      ["tracking", "what starting dirty tracking would refuse"],
    ],
    caveats: [
      VMLCK,
      "Whether the memory itself can be pinned is not known before it is tried.",
      "Limits may change between the plan and the mapping.",
    ],
  },
  info: {
    fields: [
      [
        "ready, not viable, not bound",
        "whether a group can be attached; if not, what to type first",
      ],
      ["page sizes, IOVA ranges", "what can be mapped, and where; the ends belong to the ranges"],
      ["dirty tracking", "what dirty will mean (see scope), and the largest bitmap of one read"],
      ["mappings left", "how many more the container takes: dma_entry_limit"],
      ["REGION, INTERRUPT", "parts of the device by their index, as requests name them"],
    ],
    caveats: ["With DEVICE the group is attached for a moment: it must be free."],
  },
  mdev: {
    fields: [
      ["PARENT TYPE", "what create takes"],
      ["N more", "devices of the type that can still be made; types of a parent may share them"],
      ["UUID", "the devices that there are"],
    ],
    caveats: ["A mediated device is gone after a restart of the host."],
  },
  replay: {
    fields: [
      ["record", "number of the call in the trace, with what was asked"],
      ["wanted, got", "what the trace has, and what came now: a result, a field, bits"],
      ["made, left out", "calls that were made; those of files of the host and of other processes"],
    ],
    caveats: [
      "What a program stored into mapped memory or registers is not in a trace, so a device that is " +
      "driven that way does not do the same again.",
      "Behind the first difference others may follow from it.",
    ],
  },
  decode: {
    fields: [
      ["NAME KIND NUMBER", "the request, what its descriptor is, and its number; then its fields"],
      ["missing", "bytes that the struct needs and were not given"],
    ],
    caveats: [
      "Numbers mean another thing on each kind of descriptor: without strace -y a line may have " +
      "several names.",
    ],
  },
  conform: {
    fields: [
      ["as recorded", "checks all of whose answers are those of the nearest recording"],
      ["differ", "checks with an answer that is another one; each is listed below"],
      ["not recorded", "checks that ran here, and could not run where that kernel was recorded"],
      ["cannot run", "checks that this host has no device or setting for; the reasons are below"],
      ["answers compared", "steps of the checks that ran both here and there"],
      ["setup, group", "containers, their type and extensions; groups and what attaches them"],
      ["info", "GET_INFO of the container and its capabilities"],
      ["map, unmap, unmap with bitmap", "MAP_DMA and UNMAP_DMA, good and bad"],
      ["vaddr", "addresses of memory that are taken away and given again"],
      ["top", "mappings that end at 2^64"],
      ["mdev", "mappings of a container that has mediated devices only"],
      ["dirty", "DIRTY_PAGES: start, stop and bitmaps"],
      ["scope", "what makes all mapped pages dirty, or pinned ones only"],
      ["stale", "bits in buffers that were not zeroed, at shifted places, or after a failed read"],
      ["account, pin", "VmLck and the memory limit; what drivers may pin"],
      ["device, feature", "requests of a device, and DEVICE_FEATURE"],
      ["log, migration", "a device's log of its own writes, and its migration states"],
      ["iommufd, option", "requests of /dev/iommu in general, and its options"],
      ["ioas ranges, ioas map, ioas copy, ioas unmap", "address spaces of iommufd"],
      ["node", "devices opened by their own nodes: bound, attached, detached"],
      ["hwpt, hwpt dirty", "page tables of iommufd, and their dirty bits"],
      ["iommufd account", "VmLck, VmPin and the memory limit with iommufd"],
    ],
    caveats: [
      "What cannot run, or was not recorded, says nothing about the kernel.",
      "Most of top, mdev, scope, stale and pin need the lab's driver, which pins on command.",
      "A kernel that behaves like a recorded one may differ in what no check asks.",
    ],
  },
  quirks: {
    fields: [
      [
        "HERE",
        "whether the kernel does what the quirk's name stands for; explained below the table",
      ],
      ["SEEN", "what the probe asked, and what came"],
    ],
    caveats: [
      "With a device of the host nothing can be made dirty: only the answers of hwpt are seen then.",
      "hwpt.past-bitmap and hwpt.lost-start want the kernel's mock IOMMU and a free huge page of 2M.",
    ],
  },
  bind: {
    fields: [],
    caveats: [
      "The whole IOMMU group must be given up by the host's drivers before VFIO can use it.",
      "A disk or a network interface of the host that nothing shows to be in use is not refused.",
    ],
  },
};
