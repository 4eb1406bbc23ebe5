import { checkKind, checkOptions } from "../base/argument.ts";
import { check } from "../base/error.ts";
import type { Extent } from "../base/extent.ts";
import { formatSize, hex } from "../base/format.ts";
import type { BitmapTarget, ReadRequest } from "../dirty/source.ts";
import {
  IOMMU_HWPT_DIRTY_TRACKING_ENABLE,
  IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR,
} from "../uapi/flag.ts";
import {
  iommu_hwpt_get_dirty_bitmap,
  iommu_hwpt_set_dirty_tracking,
} from "../uapi/iommufd_hwpt.ts";
import { IOMMU_HWPT_GET_DIRTY_BITMAP, IOMMU_HWPT_SET_DIRTY_TRACKING } from "../uapi/request.ts";
import { checkDirtyRead } from "./dirty_range.ts";
import { explainDirty } from "./explain.ts";
import { readHardwareInfo } from "./hw_info.ts";
import type { DirtyRequests, PreparedRead } from "./hwpt_source.ts";
import {
  type DirtyReadOptions,
  type HwptInit,
  type HwptOptions,
  READ_OPTIONS,
} from "./hwpt_types.ts";
import type { Ioas } from "./ioas.ts";
import { destroy, type IommufdObject, Parts, request } from "./object.ts";
import { recorded } from "./recorder.ts";
import type { DirtyTracker } from "../track/tracker.ts";
import { type TrackOptions, trackTable } from "./tracking.ts";

export type { DirtyReadOptions, HwptInit, HwptOptions };

const PAGE = 4096n;
/**
 * The largest of VT-d: level 3 of its page tables, where AMD's may have any power of two.
 *
 * @see drivers/iommu/intel/iommu.h, cap_super_page_val
 */
const VTD_ENTRY = 1n << 30n;

/** Set by the class, for this folder alone. */
let make: (init: HwptInit, id: number, tracksDirty: boolean) => Hwpt;
let parts: (hwpt: Hwpt) => Parts;

/**
 * A page table of an IOMMU, with the mappings of its address space. Dispose destroys it, with the
 * attachments that Pinscope made to it.
 *
 * @example Which of 256 pages a device wrote
 * ```ts
 * import { Iommufd } from "@pinscope/vfio";
 * import { ModelKernel } from "@pinscope/vfio/model";
 *
 * const kernel = new ModelKernel();
 * using iommufd = Iommufd.open({ kernel });
 * using device = iommufd.bind("0000:00:10.0");
 * using space = iommufd.addressSpace();
 * using memory = iommufd.allocate(1n << 20n);
 * using _mapping = space.map(memory, { iova: 0x10000000n });
 * using table = space.pageTable(device, { dirtyTracking: true });
 * using _attachment = device.attach(table);
 * table.setDirtyTracking(true);
 * kernel.dma("0000:00:10.0").write(0x10009000n, Uint8Array.of(1)); // the model's device works
 *
 * using bitmap = iommufd.allocate(3n * 4096n); // zeroed, with slack behind the 32 bytes
 * table.readDirty({ iova: 0x10000000n, size: 1n << 20n }, { address: bitmap.address, size: 32 });
 * if ((bitmap.bytes[1]! & 2) === 0) throw new Error("page 9 is dirty");
 * ```
 *
 * @see drivers/iommu/iommufd/hw_pagetable.c
 */
export class Hwpt implements Disposable, IommufdObject {
  /** The kernel's number of it. */
  readonly id: number;
  /** Whose mappings it has. */
  readonly ioas: Ioas;
  /** Whether it was made to track dirty pages. */
  readonly tracksDirty: boolean;
  readonly #init: HwptInit;
  readonly #parts = new Parts();
  readonly #get = iommu_hwpt_get_dirty_bitmap.create();
  #tracking = false;
  #tracker: DirtyTracker | undefined;
  #gone = false;

  static {
    make = (...init) => new Hwpt(...init);
    parts = (hwpt) => hwpt.#parts;
  }

  private constructor(init: HwptInit, id: number, tracksDirty: boolean) {
    this.id = id;
    this.ioas = init.ioas;
    this.tracksDirty = tracksDirty;
    this.#init = init;
    init.parts.add(this);
  }

  #alive(): void {
    if (this.#gone) throw new ReferenceError(`Cannot use page table ${this.id}: it is gone`);
  }

  /** Whether dirty tracking is on. */
  get isTracking(): boolean {
    return this.#tracking;
  }

  /**
   * Switches dirty tracking on, with no page dirty, or off; the same twice is harmless. A script
   * that shares the page table with another process is told of its own switching only.
   *
   * @throws {VfioError} EOPNOTSUPP, if the page table was made without dirty tracking.
   * @see drivers/iommu/iommufd/io_pagetable.c, iopt_set_dirty_tracking
   */
  setDirtyTracking(on: boolean): void {
    this.#alive();
    checkKind("on", on, "boolean");
    const struct = iommu_hwpt_set_dirty_tracking.create();
    struct.fields.hwpt_id = this.id;
    struct.fields.flags = on ? IOMMU_HWPT_DIRTY_TRACKING_ENABLE : 0;
    const operation = [IOMMU_HWPT_SET_DIRTY_TRACKING, "IOMMU_HWPT_SET_DIRTY_TRACKING"] as const;
    const action = `switch dirty tracking ${on ? "on" : "off"} for page table ${this.id}`;
    request(this.#init.file, operation, struct, action, explainDirty);
    this.#tracking = on;
  }

  /**
   * Reads the dirty bits of a range into memory: bit 0 is its first page. The kernel sets bits and
   * clears none, so the target must be zeroed.
   *
   * What the kernel would answer with success and no bits is refused here: a hole in the range, and
   * tracking that is off. With huge entries, begin and end at those of mappings: bits of an entry
   * that reaches beyond the range are set behind the bitmap, where `target` must have 8 KiB of slack.
   *
   * @param range Whole pages of `pageSize`, all mapped.
   * @param target Where the bits go; `size` holds one bit a page, rounded up to bytes.
   * @throws {ReferenceError} If tracking is off.
   * @throws {RangeError} If the range is not aligned, has a hole, or the target is too small.
   * @throws {VfioError} All pages of the range are then to be taken as dirty.
   * @see drivers/iommu/iommufd/io_pagetable.c, iopt_read_and_clear_dirty_data
   */
  readDirty(range: Extent, target: BitmapTarget, options?: DirtyReadOptions): void {
    const { pageSize = PAGE, clear = true } = checkOptions(options, READ_OPTIONS);
    const prepared = this.#prepare(range, target, { pageSize, clear });
    const result = this.#init.file.kernel.ioctlBuffer(
      prepared.fd,
      prepared.request,
      prepared.argument,
    );
    const action = `read dirty pages of ${formatSize(range.size)} at iova ${hex(range.iova)}`;
    check(result, "IOMMU_HWPT_GET_DIRTY_BITMAP", action, explainDirty);
  }

  /** Fills a request that was found good: what the kernel would swallow is found here. */
  #prepare(range: Extent, target: BitmapTarget, { pageSize, clear }: PreparedRead): ReadRequest {
    this.#alive();
    const { file, mappings, alignment } = this.#init;
    const { tracksDirty } = this;
    const state = { mappings, alignment: alignment(), tracksDirty, tracking: this.#tracking };
    checkDirtyRead({ ...range, pageSize, bytes: target.size }, state, `page table ${this.id}`);
    const { fields, bytes } = this.#get;
    fields.size = bytes.byteLength;
    fields.hwpt_id = this.id;
    fields.flags = clear ? 0 : IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR;
    fields.iova = range.iova;
    fields.length = range.size;
    fields.page_size = pageSize;
    this.#get.point("data", target);
    return { fd: file.fd, request: IOMMU_HWPT_GET_DIRTY_BITMAP, argument: bytes };
  }

  /**
   * Tracks the dirty pages of everything that is mapped, now and later: the tracker reads them in
   * windows. Dispose of the result switches tracking off.
   *
   * A mapping that is unmapped meanwhile is looked at right before; what was dirty of it comes first
   * in the next drain. What a device writes between that look and the unmap is lost.
   *
   * Windows are cut inside mappings only where that is certain to lose nothing: anywhere, if the
   * address space has no huge pages, or at multiples of `entrySize`.
   *
   * @throws {ReferenceError} If its dirty pages are tracked already.
   * @throws {RangeError} If a mapping is not made of whole pages of `pageSize`.
   * @throws {VfioError} EOPNOTSUPP, if the page table was made without dirty tracking.
   * @see drivers/iommu/iommufd/io_pagetable.c, iopt_set_dirty_tracking
   */
  trackDirty(options?: TrackOptions): DirtyTracker {
    this.#alive();
    if (this.#tracker !== undefined) {
      throw new ReferenceError(
        `Page table ${this.id} is tracked already: a second tracker's end would stop both`,
      );
    }
    const { file: { kernel }, mappings, watches } = this.#init;
    const requests: DirtyRequests = {
      setTracking: (on) => this.setDirtyTracking(on),
      prepare: (...read) => this.#prepare(...read),
    };
    const onEnd = (): void => void (this.#tracker = undefined);
    const largestEntry = (): bigint | undefined => this.#largestEntry();
    const init = { kernel, requests, mappings, watches, largestEntry, onEnd };
    this.#tracker = trackTable(init, options);
    return this.#tracker;
  }

  /** What entries there can be: a mapping of memory that happens to lie together gets large ones. */
  #largestEntry(): bigint | undefined {
    const { file, ioas, device } = this.#init;
    if (!ioas.hugePages) return PAGE;
    return readHardwareInfo(file, device).type === "intel-vtd" ? VTD_ENTRY : undefined;
  }

  /**
   * Detaches what Pinscope attached to it, and destroys it; twice does nothing.
   *
   * @throws {VfioError} EBUSY, if something else is attached to it.
   */
  [Symbol.dispose](): void {
    if (this.#gone) return;
    this.#tracker?.[Symbol.dispose]();
    this.#parts[Symbol.dispose]();
    const { file, parts, ioas } = this.#init;
    const what = `page table ${this.id}`;
    recorded(file.recorder, () => {
      destroy(file, this, what);
      parts.delete(this);
    }, (book) => {
      book.setTables(ioas.id, parts.size);
      return ["page-table-gone", `${what} of address space ${ioas.id}`];
    });
    this.#gone = true;
    this.#tracking = false;
  }
}

/** Makes the object of a page table that the kernel has. */
export function newHwpt(init: HwptInit, id: number, tracksDirty: boolean): Hwpt {
  return make(init, id, tracksDirty);
}

/** What goes before a page table. */
export function hwptParts(hwpt: Hwpt): Parts {
  return parts(hwpt);
}
