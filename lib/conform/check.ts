/**
 * What a check of the conformance suite is: a few requests to a kernel, and its answers as texts that
 * are the same on every machine.
 *
 * @module
 */

import type { Bench } from "./bench.ts";

/** What a check needs beside a container and a device that is ready. */
export type Need =
  /** A PCI device bound to vfio-pci, in a container with an IOMMU. */
  | "container"
  /** Such a device, whether or not SET_IOMMU takes it. */
  | "device"
  /** A second device behind an IOMMU, in another group. */
  | "second"
  /** IOVA ranges with a hole between them. */
  | "hole"
  /** A container whose dma_entry_limit is small. */
  | "entry-limit"
  /** An IOMMU that does not remap interrupts. */
  | "unsafe-interrupts"
  /** A group with a device of the host in it. */
  | "non-viable"
  /** A process whose memory limit counts: without CAP_IPC_LOCK. */
  | "memory-limit"
  /** A process whose memory limit does not count. */
  | "ipc-lock"
  /** A mediated device of the lab's vendor driver. */
  | "mdev"
  /** A second one. */
  | "mdev2"
  /** One whose driver has no dma_unmap callback. */
  | "no-unmap"
  /** A PCI device that the lab's vendor driver has. */
  | "vendor-pci"
  /** A mediated device of that driver that keeps a log of its writes, and has all migration states. */
  | "log"
  /** One that migrates only while it is stopped. */
  | "migrates"
  /** /dev/iommu. */
  | "iommufd"
  /** The mock IOMMU of the kernel's own tests. */
  | "mock"
  /** A PCI device bound to vfio-pci that has a node of its own and can be bound to an iommufd. */
  | "node"
  /** Such a device, whether or not it can be bound. */
  | "node-any"
  /** A second one, in another group. */
  | "node2"
  /** A device's node, and an IOMMU that does not remap interrupts. */
  | "node-unsafe";

/** Notes an answer: what was asked, and what came. A label stands once in a check. */
export type Say = (step: string, answer: string) => void;

/** One check. */
export interface Check {
  /** Its name, as "map: size 0". */
  readonly name: string;
  /** The rule that it is about, as "map.size": one of `lib/rules`, or of `flow.ts`. */
  readonly rule: string;
  /** What must be there. */
  readonly needs: readonly Need[];
  /** Asks. What it takes it gives back. */
  readonly run: (bench: Bench, say: Say) => void;
}

/** The answers to one check, by step, in their order. */
export type Answers = Readonly<Record<string, string>>;

/** What became of a check. */
export interface Outcome {
  readonly check: Check;
  /** What the kernel answered; undefined where the check could not run. */
  readonly answers?: Answers;
  /** Why it could not run. */
  readonly skipped?: string;
}
