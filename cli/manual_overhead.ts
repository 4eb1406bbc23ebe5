/**
 * What commands cost the host, and hold up while they run: OVERHEAD of the manual page.
 *
 * @module
 */

import type { CommandName } from "./option.ts";

/** What is true of all commands. */
export const OVERHEAD_OF_ALL: readonly string[] = [
  "Nothing runs when no command does: there is no daemon, no module of the kernel and no probe. A " +
  "start takes about a tenth of a second. Mappings, tracking and open groups end with the command, " +
  "also after Ctrl-C; what bind and mdev create do lasts until it is undone.",
  "Behind an IOMMU every mapped page is pinned while the device is attached: 64 MiB for each " +
  "command that maps, unless --map says otherwise. Opening and closing a device may reset it.",
  "--trace and --verbose decode each system call; with large bitmaps that takes longer than the " +
  "call.",
];

const READS =
  "Each read of a bitmap holds the lock of the container: meanwhile its mappings cannot change. The " +
  "bitmap of 1 TiB has 32 MiB; a few gigabytes of it a second are scanned where pages are few.";

/** By command; those that are left out cost next to nothing. */
export const OVERHEAD: Readonly<Partial<Record<CommandName, readonly string[]>>> = {
  dirty: [
    READS,
    "While type1 tracks, the kernel keeps a bit for each mapped page. The device does not run slower " +
    "for it. What a log of its own costs a device, only its vendor knows.",
    "With --save each round waits for the disk; what it writes grows with the pages that changed.",
  ],
  watch: [READS, "Where pinned pages can be told apart, everything is read twice a round."],
  heat: [
    READS,
    "What is kept of a round does not grow with the mappings: it is counted by cells. Twice the " +
    "reads where pinned pages can be told apart, as for watch.",
  ],
  report: [READS, "As for heat; the page grows with its rounds and runs, to some hundred KiB."],
  converge: [
    READS,
    "It keeps sets of pages of several lengths of time: some bitmaps of all mapped memory.",
  ],
  diff: ["Each recording is read twice; a set of the pages of each is kept."],
  pins: [
    "Without DEVICE: a few files of /proc of each process, once a round, and no request of VFIO.",
    `With DEVICE: ${READS}`,
  ],
  scope: ["The probe maps one page, reads its bit and unmaps it."],
  info: ["Without DEVICE: files of /sys and /proc only. With DEVICE: some dozens of requests."],
  plan: ["Nothing is mapped. With DEVICE its group is attached for a moment."],
  replay: ["As many calls as the trace has, and the memory that it had."],
  conform: [
    "Some thousand requests, good and bad, in seconds. The groups are held meanwhile; whatever is " +
    "mapped is mapped for the moment of a check.",
  ],
};
