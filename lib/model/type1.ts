import type { Behaviour } from "../rules/behaviour.ts";
import type { Extent } from "../base/extent.ts";
import type { IovaRange } from "../rules/iova.ts";
import type { MapRequest } from "../rules/map.ts";
import type { ProposalV9 } from "../rules/proposal.ts";
import type { UnmapRequest } from "../rules/unmap.ts";
import type { Dma } from "./dma.ts";
import { DmaTree } from "./dma_tree.ts";
import type { Process } from "./process.ts";
import { attach, detach } from "./type1_group.ts";
import { map } from "./type1_map.ts";
import { access, pin, type PinCall, unpin } from "./type1_pin.ts";
import { unmap, type Unmapped } from "./type1_unmap.ts";

/** A group as type1 sees it. */
export interface AttachedGroup {
  /** Mediated devices only: there is no IOMMU between device and memory. */
  readonly emulated: boolean;
  /** Whether there is one device in it. */
  readonly isSingleton: boolean;
  /** Whether its driver has pinned since the group joined: it declares its dirty scope with that. */
  hasPinned: boolean;
}

/** A driver that has to be told before memory goes. @see struct vfio_device_ops, dma_unmap */
export interface UnmapListener {
  dmaUnmap(iova: bigint, size: bigint): void;
}

/** The host around a type1 container. */
export interface Type1Host {
  readonly behaviour: Behaviour;
  readonly pageSize: bigint;
  readonly ranges: readonly IovaRange[];
  readonly entryLimit: number;
  /** Whether a group behind an IOMMU may be attached: interrupts are remapped, or the risk taken. */
  readonly interruptsSafe: boolean;
  /** How it speaks the v9 series, if it does. */
  readonly proposal?: ProposalV9 | undefined;
}

/**
 * The type1 IOMMU of one container: mappings, pins and what they cost.
 *
 * @see drivers/vfio/vfio_iommu_type1.c, struct vfio_iommu
 */
export class Type1 {
  /** Mappings by rising address. */
  readonly mappings: DmaTree;
  /** Groups that are attached. */
  readonly groups: Set<AttachedGroup> = new Set();
  /** Drivers of open devices that can be told of an unmap, the last one first. */
  readonly listeners: UnmapListener[] = [];
  /** Version 2: an unmap takes whole mappings, and there are dirty pages. */
  readonly v2: boolean;
  /** What the container runs on. */
  readonly host: Type1Host;
  /** Whether dirty tracking is on. */
  tracking = false;
  /** Mappings that may still be made. */
  entriesLeft: number;
  /** Whether a group behind an IOMMU was ever here. */
  hadIommu = false;
  /** Mappings that have lost their address. @see struct vfio_iommu, vaddr_invalid_count */
  moving = 0;
  /** For rules: whether a mapping has lost its address. */
  readonly isMoving = (mapping: Extent): boolean => (mapping as Dma).vaddrInvalid;

  /** A container's IOMMU without groups. */
  constructor(host: Type1Host, v2: boolean) {
    this.host = host;
    this.v2 = v2;
    this.mappings = new DmaTree(!host.behaviour.top);
    this.entriesLeft = host.entryLimit;
  }

  /** Version 1. */
  get v1(): boolean {
    return !this.v2;
  }

  /** How the kernel answers where kernels differ. */
  get behaviour(): Behaviour {
    return this.host.behaviour;
  }

  /** Smallest page of the IOMMU, in bytes. */
  get pageSize(): bigint {
    return this.host.pageSize;
  }

  /** Whether a group behind an IOMMU is attached. */
  get hasIommu(): boolean {
    return [...this.groups].some((group) => !group.emulated);
  }

  /** Whether a mediated device is attached. */
  get emulated(): boolean {
    return [...this.groups].some((group) => group.emulated);
  }

  /**
   * Whether a group makes every mapped page dirty: one behind an IOMMU that has never pinned.
   *
   * @see struct vfio_iommu, num_non_pinned_groups
   */
  get allDirty(): boolean {
    return [...this.groups].some((group) => !group.emulated && !group.hasPinned);
  }

  /** Whether a mapping has lost its address, so that nothing may be pinned. */
  get hasInvalidVaddr(): boolean {
    return this.moving > 0;
  }

  /** What GET_INFO gives: nothing before the first IOMMU, everything after the last has left. */
  get ranges(): readonly IovaRange[] | undefined {
    if (this.hasIommu) return this.host.ranges;
    return this.hadIommu ? [{ start: 0n, end: (1n << 64n) - 1n }] : undefined;
  }

  /** How it speaks the v9 series, if it does. */
  get proposal(): ProposalV9 | undefined {
    return this.host.proposal;
  }

  /** Attaches a group for a process: 0 or -errno. */
  attach(group: AttachedGroup, current: Process): number {
    return attach(this, group, current);
  }

  /** Detaches a group. */
  detach(group: AttachedGroup): void {
    detach(this, group);
  }

  /** MAP: 0 or -errno. */
  map(request: MapRequest & { readonly vaddr: bigint }, current: Process): number {
    return map(this, request, current);
  }

  /** UNMAP; `each` is called with a mapping before it goes, and may refuse. */
  unmap(request: UnmapRequest, each?: (dma: Dma) => number): Unmapped {
    return unmap(this, request, each);
  }

  /** Pins pages for a driver: their count, or -errno. */
  pin(call: PinCall, group: AttachedGroup): number {
    return pin(this, call, group);
  }

  /** Gives back one pin of each page; dirty bits stay. */
  unpin(iova: bigint, pages: number): void {
    unpin(this, iova, pages);
  }

  /** Reads or writes memory for a driver with the processor: 0 or -errno. */
  access(
    iova: bigint,
    bytes: Uint8Array,
    options: { readonly write: boolean; readonly current?: Process | undefined },
  ): number {
    return access(this, iova, bytes, options);
  }

  /** Takes a mapping out, and gives back what it cost. @see vfio_remove_dma */
  remove(dma: Dma): void {
    dma.uncharge(dma.charged);
    this.mappings.delete(dma);
    if (dma.vaddrInvalid) this.moving -= 1;
    this.entriesLeft += 1;
  }

  /** Drops everything, as when the last group leaves. @see vfio_iommu_unmap_unpin_all */
  release(): void {
    for (const dma of [...this.mappings]) this.remove(dma);
    this.tracking = false;
  }
}
