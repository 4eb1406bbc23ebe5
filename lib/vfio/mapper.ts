import { checkOptions, given, type Kinds } from "../base/argument.ts";
import { RuleError } from "../base/error.ts";
import { type Extent, ExtentSet } from "../base/extent.ts";
import { formatSize, hex } from "../base/format.ts";
import { bitmapBytes } from "../base/page.ts";
import { WORD_PAGES } from "../dirty/plan.ts";
import type { DirtyWindow } from "../dirty/window.ts";
import { findIova } from "../rules/iova.ts";
import { mapRefusal } from "../rules/map.ts";
import { DIRTY_BITMAP_PAGES_MAX } from "../rules/dirty.ts";
import type { Kernel } from "../sys/kernel.ts";
import { VFIO_DMA_MAP_FLAG_READ, VFIO_DMA_MAP_FLAG_WRITE } from "../uapi/flag.ts";
import { coreOf, type DirtyTracker } from "../track/tracker.ts";
import type { IommuInfo } from "./iommu_info.ts";
import {
  type Access,
  type Mapping,
  type MappingOwner,
  newMapping,
  releaseMapping,
} from "./mapping.ts";
import { compareUnmapped, MapRequests } from "./map_request.ts";
import { holdMemory, HostMemory } from "../sys/memory.ts";
import type { Recorder } from "./recorder.ts";

/** How to map memory. */
export interface MapOptions {
  /** The address that the device uses; by default the lowest free one of the usable ranges. */
  readonly iova?: bigint;
  /** What the device may do; both by default. */
  readonly access?: Access;
  /** Where in the memory to begin, in bytes; 0 by default. */
  readonly offset?: bigint;
  /** How much to map, in bytes; all from the offset on by default. */
  readonly size?: bigint;
  /** Map in pieces of this many bytes, a multiple of 64 pages, so that each can be read alone. */
  readonly pieceSize?: bigint;
}

/** A mapping as the kernel knows it: a piece of what the script mapped. */
export interface Piece extends Extent {
  mapping: Mapping | undefined;
}

/** What the mapper asks its container for. */
export interface MapperHost {
  readonly kernel: Kernel;
  /** The container's file. */
  readonly fd: number;
  /** Properties of the attached IOMMU. */
  readonly iommu: IommuInfo;
  /** Whether UNMAP knows the flag ALL. */
  readonly unmapsAll: boolean;
  /** Who enters operations in a ledger, if one is kept. */
  readonly recorder: Recorder | undefined;
  /** The tracker that runs. */
  readonly tracker: DirtyTracker | undefined;
  /** Waits for a read of dirty pages that is under way. */
  quiesce(): void;
}

const RIGHTS: Readonly<Record<Access, number>> = {
  r: VFIO_DMA_MAP_FLAG_READ,
  w: VFIO_DMA_MAP_FLAG_WRITE,
  rw: VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
};

const OPTIONS: Kinds<MapOptions> = {
  iova: "bigint",
  access: ["r", "w", "rw"],
  offset: "bigint",
  size: "bigint",
  pieceSize: "bigint",
};

/** Whether a mapping has memory in common with a range of this process. */
const shares = (mapping: Mapping, vaddr: bigint, size: bigint): boolean =>
  mapping.vaddr < vaddr + size && vaddr < mapping.vaddr + mapping.size;

/** Maps and unmaps for a container, and knows what is mapped. */
export class Mapper implements MappingOwner {
  /** What the kernel has mapped, by rising address. */
  readonly pieces: ExtentSet<Piece> = new ExtentSet();
  readonly #host: MapperHost;
  readonly #requests: MapRequests;

  /** Made by the container. */
  constructor(host: MapperHost) {
    this.#host = host;
    this.#requests = new MapRequests(host);
  }

  /** See `Container.map`. */
  map(memory: HostMemory, wanted?: MapOptions): Mapping {
    if (!(memory instanceof HostMemory)) {
      throw new TypeError(
        `memory must be host memory, as container.allocate gives; got ${given(memory)}`,
      );
    }
    const options = checkOptions(wanted, OPTIONS);
    const { iommu } = this.#host;
    const offset = options.offset ?? 0n;
    const size = options.size ?? memory.size - offset;
    if (offset < 0n || offset > memory.size || size > memory.size - offset) {
      throw new RangeError(
        `A mapping must lie in the memory of ${hex(memory.size)} bytes; got offset ${offset} and ` +
          `size ${size}`,
      );
    }
    const access = options.access ?? "rw";
    const pieceSize = options.pieceSize ?? size;
    this.#checkPieces(pieceSize, size);
    const iova = options.iova ?? this.#freeIova(size);
    const vaddr = memory.address + offset;
    this.#refuse({ iova, size, vaddr, flags: RIGHTS[access] }, iommu);
    this.#host.quiesce();
    this.#host.recorder?.begin();

    using undo = new DisposableStack();
    // Held before the first call: memory that was given back must not reach the kernel.
    const held = undo.use(holdMemory(memory));
    const pieces: Piece[] = [];
    for (let at = 0n; at < size; at += pieceSize) {
      const length = size - at < pieceSize ? size - at : pieceSize;
      const piece: Piece = { iova: iova + at, size: length, mapping: undefined };
      this.#requests.map(piece, vaddr + at, RIGHTS[access]);
      undo.defer(() => this.#requests.unmap(piece));
      pieces.push(piece);
    }
    const init = { iova, size, vaddr, access, memory, held, pieces, owner: this };
    const mapping = newMapping(init);
    for (const piece of pieces) {
      piece.mapping = mapping;
      this.pieces.add(piece);
    }
    undo.move();
    this.#record("map", mapping);
    return mapping;
  }

  /** Enters a map or an unmap in the ledger. */
  #record(kind: "map" | "unmap", { iova, size, vaddr, pieces }: Mapping): void {
    this.#host.recorder?.end({
      operation: { kind, size, entries: pieces.length },
      subject: `${formatSize(size)} at iova ${hex(iova)}`,
      context: {
        sharers: this.mappings().filter((other) => shares(other, vaddr, size)).length - 1,
      },
    });
  }

  #checkPieces(pieceSize: bigint, size: bigint): void {
    const unit = WORD_PAGES * this.#host.iommu.pageSize;
    if (pieceSize !== size && (pieceSize <= 0n || pieceSize % unit !== 0n)) {
      throw new RangeError(`pieceSize must be a multiple of ${hex(unit)}; got ${pieceSize}`);
    }
    const most = BigInt(DIRTY_BITMAP_PAGES_MAX) * this.#host.iommu.pageSize;
    if (this.#host.tracker !== undefined && pieceSize > most) {
      throw new RangeError(
        `A mapping of at most ${hex(most)} bytes can be tracked; got ${hex(pieceSize)}; ` +
          "give pieceSize to map it in pieces",
      );
    }
  }

  #freeIova(size: bigint): bigint {
    const { iovaRanges, pageSize } = this.#host.iommu;
    // A multiple of 64 pages lets several mappings share a window of the dirty bitmap.
    const wish = { size, align: WORD_PAGES * pageSize };
    const iova = findIova(iovaRanges, this.pieces, wish);
    if (iova !== undefined) return iova;
    throw new RangeError(`No free IOVA range of ${formatSize(size)} is left in the container`);
  }

  #refuse(request: Extent & { vaddr: bigint; flags: number }, iommu: IommuInfo): void {
    const { pageSize, iovaRanges: ranges } = iommu;
    if (request.iova < 0n) {
      throw new RangeError(`Cannot map memory: iova must be at least 0; got ${request.iova}`);
    }
    const refusal = mapRefusal(request, { pageSize, mappings: this.pieces, ranges });
    if (refusal !== undefined) throw new RuleError(`Cannot map memory: ${refusal.reason}`, refusal);
  }

  /** See `Mapping[Symbol.dispose]`. */
  unmap(mapping: Mapping): void {
    this.#host.recorder?.begin();
    this.#requests.unmap(mapping);
    this.#forget(mapping);
    this.#record("unmap", mapping);
  }

  /** See `Mapping.unmapWithBitmap`. */
  unmapWithBitmap(mapping: Mapping): DirtyWindow {
    const { tracker } = this.#host;
    if (tracker === undefined) {
      throw new ReferenceError("Cannot unmap with dirty bits: dirty tracking is off");
    }
    const need = bitmapBytes(mapping.size / tracker.pageSize);
    if (need > tracker.maxBitmapBytes) {
      throw new RangeError(
        `The dirty bits of one unmap take at most ${formatSize(tracker.maxBitmapBytes)}; this ` +
          `mapping's take ${formatSize(need)}`,
      );
    }
    this.#host.recorder?.begin();
    const window = coreOf(tracker).readOnce(
      mapping,
      (target) => this.#requests.unmapWithBitmap(mapping, tracker.pageSize, target),
    );
    this.#forget(mapping);
    this.#record("unmap", mapping);
    return window;
  }

  /**
   * Unmaps everything.
   *
   * @returns Bytes that were removed.
   */
  unmapAll(): bigint {
    const { unmapsAll } = this.#host;
    let total = 0n;
    for (const piece of this.pieces) total += piece.size;
    // A ledger has a line for each mapping, so they go one by one then.
    if (!unmapsAll || this.#host.recorder !== undefined) {
      for (const mapping of this.mappings()) this.unmap(mapping);
      return total;
    }
    const removed = this.#requests.unmapAll();
    this.forgetAll();
    compareUnmapped(total, removed, "unmap everything");
    return total;
  }

  /** The mappings, by rising address. */
  mappings(): Mapping[] {
    const all = new Set<Mapping>();
    for (const { mapping } of this.pieces) if (mapping !== undefined) all.add(mapping);
    return [...all];
  }

  /** Notes that the kernel dropped all mappings, as it does when the last group leaves. */
  forgetAll(): void {
    using stack = new DisposableStack(); // each is forgotten, whatever happens to another's memory
    for (const mapping of this.mappings()) stack.defer(() => this.#forget(mapping));
  }

  #forget(mapping: Mapping): void {
    for (const piece of this.pieces.inRange(mapping.iova, mapping.size)) this.pieces.delete(piece);
    const { tracker } = this.#host;
    if (tracker !== undefined) coreOf(tracker).forget(mapping);
    releaseMapping(mapping);
  }
}
