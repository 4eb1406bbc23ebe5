import { ERRNO } from "../base/errno.ts";
import { check, PartialUnmapError } from "../base/error.ts";
import type { Extent } from "../base/extent.ts";
import { formatSize, hex } from "../base/format.ts";
import type { IovaRange } from "../rules/iova.ts";
import {
  IOMMU_IOAS_MAP_FIXED_IOVA,
  IOMMU_IOAS_MAP_READABLE,
  IOMMU_IOAS_MAP_WRITEABLE,
} from "../uapi/flag.ts";
import {
  iommu_ioas_allow_iovas,
  iommu_ioas_copy,
  iommu_ioas_iova_ranges,
  iommu_ioas_map,
  iommu_ioas_map_file,
  iommu_ioas_unmap,
  iommu_iova_range,
} from "../uapi/iommufd.ts";
import {
  IOMMU_IOAS_ALLOW_IOVAS,
  IOMMU_IOAS_COPY,
  IOMMU_IOAS_IOVA_RANGES,
  IOMMU_IOAS_MAP,
  IOMMU_IOAS_MAP_FILE,
  IOMMU_IOAS_UNMAP,
} from "../uapi/request.ts";
import { explainMap, explainUnmap } from "./explain.ts";
import type { IoasAccess } from "./mapping.ts";
import { type IommufdFile, request } from "./object.ts";

/** What an address space says about its addresses. */
export interface IoasRanges {
  /** Usable ranges, both ends included; narrower with each device, never wider while it stays. */
  readonly ranges: readonly IovaRange[];
  /** Addresses and lengths are multiples of this many bytes; 1 before the first page table. */
  readonly alignment: bigint;
}

/** Where to map; the kernel chooses an address where none is given. */
export interface Place {
  readonly iova: bigint | undefined;
  readonly size: bigint;
  readonly access: IoasAccess;
}

const RIGHTS: Readonly<Record<IoasAccess, number>> = {
  r: IOMMU_IOAS_MAP_READABLE,
  w: IOMMU_IOAS_MAP_WRITEABLE,
  rw: IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
};

/** The flags of a mapping there. */
export const flagsOf = ({ iova, access }: Place): number =>
  RIGHTS[access] | (iova === undefined ? 0 : IOMMU_IOAS_MAP_FIXED_IOVA);

const describe = (verb: string, { iova, size }: Place): string =>
  `${verb} ${formatSize(size)} ` +
  (iova === undefined ? "at an address of the kernel's choice" : `at iova ${hex(iova)}`);

/** How many ranges are asked for first; the kernel says if there are more. */
const FIRST_RANGES = 16;

/** The requests of one address space, without any memory of what is mapped. */
export class IoasRequests {
  readonly #file: IommufdFile;
  readonly #id: number;

  /** Asks about the address space `id`. */
  constructor(file: IommufdFile, id: number) {
    this.#file = file;
    this.#id = id;
  }

  /** Reads the usable ranges; asks again with more room where there are many. */
  ranges(room: number = FIRST_RANGES): IoasRanges {
    const { kernel, fd } = this.#file;
    const each = iommu_iova_range.size;
    const list = kernel.allocate(room * each);
    const struct = iommu_ioas_iova_ranges.create();
    struct.fields.size = iommu_ioas_iova_ranges.size;
    struct.fields.ioas_id = this.#id;
    struct.fields.num_iovas = room;
    struct.point("allowed_iovas", kernel.addressOf(list));
    const result = kernel.ioctlBuffer(fd, IOMMU_IOAS_IOVA_RANGES, struct.bytes);
    const count = struct.fields.num_iovas;
    if (result === -ERRNO.EMSGSIZE && count > room) return this.ranges(count);
    check(result, "IOMMU_IOAS_IOVA_RANGES", "read the usable addresses");
    const ranges = Array.from({ length: count }, (_, i) => {
      const { start, last } = iommu_iova_range.over(list.subarray(i * each)).fields;
      return { start, end: last };
    });
    return { ranges, alignment: struct.fields.out_iova_alignment };
  }

  /** Allows the ranges, and no others, to the kernel's choice of addresses. */
  allow(ranges: readonly IovaRange[]): void {
    const { kernel } = this.#file;
    const list = kernel.allocate(ranges.length * iommu_iova_range.size);
    ranges.forEach(({ start, end }, i) => {
      const { fields } = iommu_iova_range.over(list.subarray(i * iommu_iova_range.size));
      fields.start = start;
      fields.last = end;
    });
    const struct = iommu_ioas_allow_iovas.create();
    struct.fields.ioas_id = this.#id;
    struct.fields.num_iovas = ranges.length;
    struct.point("allowed_iovas", kernel.addressOf(list));
    const operation = [IOMMU_IOAS_ALLOW_IOVAS, "IOMMU_IOAS_ALLOW_IOVAS"] as const;
    request(
      this.#file,
      operation,
      struct,
      "allow ranges of addresses",
      (errno) =>
        errno === ERRNO.EADDRINUSE
          ? "a range meets addresses that a device's IOMMU reserves: see ranges()"
          : undefined,
    );
  }

  /**
   * Maps memory of this process.
   *
   * @returns The address.
   */
  map(vaddr: bigint, place: Place): bigint {
    const struct = iommu_ioas_map.create();
    struct.fields.flags = flagsOf(place);
    struct.fields.ioas_id = this.#id;
    struct.fields.user_va = vaddr;
    struct.fields.length = place.size;
    struct.fields.iova = place.iova ?? 0n;
    const operation = [IOMMU_IOAS_MAP, "IOMMU_IOAS_MAP"] as const;
    request(this.#file, operation, struct, describe("map", place), this.#why);
    return struct.fields.iova;
  }

  /**
   * Maps memory of a file.
   *
   * @returns The address.
   */
  mapFile(fd: number, start: bigint, place: Place): bigint {
    const struct = iommu_ioas_map_file.create();
    struct.fields.flags = flagsOf(place);
    struct.fields.ioas_id = this.#id;
    struct.fields.fd = fd;
    struct.fields.start = start;
    struct.fields.length = place.size;
    struct.fields.iova = place.iova ?? 0n;
    const operation = [IOMMU_IOAS_MAP_FILE, "IOMMU_IOAS_MAP_FILE"] as const;
    request(
      this.#file,
      operation,
      struct,
      describe("map a file's", place),
      (errno) =>
        errno === ERRNO.ENOTTY
          ? "this kernel maps no files (Linux before v6.13): map the memory itself"
          : errno === ERRNO.EINVAL
          ? "the file is no memfd, or the range is not in it"
          : this.#why(errno),
    );
    return struct.fields.iova;
  }

  /**
   * Maps here what another address space maps.
   *
   * @returns The address.
   */
  copy(source: { readonly id: number; readonly iova: bigint }, place: Place): bigint {
    const struct = iommu_ioas_copy.create();
    struct.fields.flags = flagsOf(place);
    struct.fields.dst_ioas_id = this.#id;
    struct.fields.src_ioas_id = source.id;
    struct.fields.length = place.size;
    struct.fields.dst_iova = place.iova ?? 0n;
    struct.fields.src_iova = source.iova;
    const operation = [IOMMU_IOAS_COPY, "IOMMU_IOAS_COPY"] as const;
    request(this.#file, operation, struct, describe("copy", place), this.#why);
    return struct.fields.dst_iova;
  }

  readonly #why = (errno: number): string | undefined => explainMap(this.#file.kernel, errno);

  /** Unmaps whole mappings and compares what the kernel says it removed with `wanted`. */
  unmap({ iova, size }: Extent, wanted: bigint, action: string): bigint {
    const struct = iommu_ioas_unmap.create();
    struct.fields.ioas_id = this.#id;
    struct.fields.iova = iova;
    struct.fields.length = size;
    const operation = [IOMMU_IOAS_UNMAP, "IOMMU_IOAS_UNMAP"] as const;
    request(this.#file, operation, struct, action, explainUnmap);
    const removed = struct.fields.length;
    if (removed === wanted) return removed;
    throw new PartialUnmapError({
      operation: "IOMMU_IOAS_UNMAP",
      errno: ERRNO.ENOENT,
      action,
      hint: `the kernel removed ${hex(removed)} bytes of ${hex(wanted)}`,
      details: { wanted, removed },
    });
  }
}
