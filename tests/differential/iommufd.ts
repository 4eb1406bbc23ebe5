/**
 * Random sequences for iommufd and the mock IOMMU: address spaces, mappings, page tables, dirty bits.
 * Objects are named by the kernel's own numbers, which both kernels must give alike.
 */
import {
  IOMMU_DESTROY,
  IOMMU_HWPT_ALLOC,
  IOMMU_HWPT_GET_DIRTY_BITMAP,
  IOMMU_HWPT_SET_DIRTY_TRACKING,
  IOMMU_IOAS_ALLOC,
  IOMMU_IOAS_ALLOW_IOVAS,
  IOMMU_IOAS_COPY,
  IOMMU_IOAS_IOVA_RANGES,
  IOMMU_IOAS_MAP,
  IOMMU_IOAS_UNMAP,
  IOMMU_OPTION,
} from "../../lib/uapi/mod.ts";
import type { Arbitrary, FastCheck } from "./fast_check.ts";
import type { Operation, Pointer } from "./operation.ts";
import { PAGE } from "./places.ts";
import { BASE, Values } from "./values.ts";

type Request = Operation & { readonly op: "iommufd" };

/** The request of the kernel's own tests. @see drivers/iommu/iommufd/iommufd_test.h */
const MOCK = 0x3ba0;
const MOCK_SIZE = 72;
const [MAKE, REPLACE, MAKE_FLAGS, DIRTY] = [2, 10, 12, 13];
const MOCK_PAGE = 2048n;

/** What the start makes, by the numbers that a kernel gives: the first is 1. */
const [FIRST, DEVICE, SPACE, TABLE] = [1, 3, 5, 6];
const page = (n: number): bigint => BigInt(n * PAGE);

const request = (
  number: number,
  words: readonly number[],
  quads: readonly bigint[] = [],
): Request => ({
  op: "iommufd",
  iommufd: 0,
  request: number,
  words,
  quads,
});

/** A mapping of good memory at a fixed address. */
const mapped = (space: number, first: number, pages: number): Request => ({
  ...request(IOMMU_IOAS_MAP, [40, 7, space, 0], [0n, page(pages), BASE + page(first)]),
  reach: { at: 0, data: { place: "good", offset: 0 }, length: page(pages) },
});

/** An address space with a mock device; another one with mappings and a page table that tracks. */
const begin: readonly Operation[] = [
  { op: "openIommufd", iommufd: 0 },
  request(IOMMU_IOAS_ALLOC, [12, 0, 0]),
  request(MOCK, [MOCK_SIZE, MAKE, FIRST, 0, 0, 0, 0, 0], [0n, 0n, 0n, 0n, 0n]),
  request(IOMMU_IOAS_ALLOC, [12, 0, 0]),
];
const filled: readonly Operation[] = [
  mapped(SPACE, 0, 8),
  mapped(SPACE, 8, 3),
  mapped(SPACE, 16, 64),
];
const tabled: readonly Operation[] = [
  request(IOMMU_HWPT_ALLOC, [48, 2, DEVICE, SPACE, 0, 0, 0, 0], [0n, 0n]),
  request(IOMMU_HWPT_SET_DIRTY_TRACKING, [16, 1, TABLE, 0]),
];

/** Bytes that a read of dirty bits may touch, whatever it is that it reads. */
function bitmapReach(length: bigint, pageSize: bigint): bigint {
  const unit = pageSize & -pageSize;
  return unit === 0n ? 8n : (length / unit + 7n) / 8n + 8n;
}

/** Draws requests of iommufd. */
class IommufdRequests {
  readonly #fc: FastCheck;
  readonly #values: Values;

  constructor(fc: FastCheck) {
    this.#fc = fc;
    this.#values = new Values(fc);
  }

  /** One step of any kind. */
  any(): Arbitrary<Operation> {
    const fc = this.#fc;
    return fc.oneof<Operation>(
      { weight: 8, arbitrary: this.#map() },
      { weight: 5, arbitrary: this.#unmap() },
      { weight: 5, arbitrary: this.#copy() },
      { weight: 3, arbitrary: this.#option() },
      { weight: 2, arbitrary: this.#ranges() },
      { weight: 2, arbitrary: this.#allow() },
      { weight: 2, arbitrary: this.#allocate() },
      { weight: 3, arbitrary: this.#destroy() },
      { weight: 3, arbitrary: this.#table() },
      { weight: 3, arbitrary: this.#track() },
      { weight: 8, arbitrary: this.#dirty() },
      { weight: 8, arbitrary: this.#get() },
      { weight: 2, arbitrary: this.#device() },
      { weight: 1, arbitrary: this.#replace() },
      { weight: 1, arbitrary: this.#file() },
    );
  }

  /** The number of an object: mostly that of the kind that is wanted. */
  #id(...usual: [number, ...number[]]): Arbitrary<number> {
    const fc = this.#fc;
    return this.#values.mostly(
      fc.constantFrom(...usual),
      fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: 0, max: 12 }) },
        { weight: 1, arbitrary: fc.constantFrom(999, 0x7fff_ffff, 0xffff_ffff) },
      ),
      9,
    );
  }

  #space(): Arbitrary<number> {
    return this.#id(SPACE, SPACE, SPACE, FIRST);
  }

  /** A size that a struct says: right in nearly all cases. */
  #size(right: number): Arbitrary<number> {
    return this.#values.mostly(
      this.#fc.constant(right),
      this.#fc.constantFrom(0, 4, right - 4, right - 1, right + 4, right + 8, 4096),
      30,
    );
  }

  /** Zero, where a kernel wants that. */
  #zero(): Arbitrary<number> {
    return this.#values.mostly(this.#fc.constant(0), this.#fc.constantFrom(1, 0x8000_0000), 40);
  }

  /** A request from values that are drawn, mostly to the first file. */
  #of<T extends object>(
    fields: { [K in keyof T]: Arbitrary<T[K]> },
    make: (values: T) => Request,
  ): Arbitrary<Operation> {
    const fc = this.#fc;
    return fc.record({ iommufd: this.#values.rather(0, 1), values: fc.record<T>(fields) })
      .map(({ iommufd, values }) => ({ ...make(values), iommufd }));
  }

  #map(): Arbitrary<Operation> {
    const [fc, values] = [this.#fc, this.#values];
    const fields = {
      size: this.#size(40),
      // Without FIXED_IOVA the kernel chooses, by rules that both follow.
      flags: fc.oneof(
        { weight: 10, arbitrary: fc.constant(7) },
        { weight: 3, arbitrary: fc.constant(5) },
        { weight: 3, arbitrary: fc.constant(6) },
        { weight: 1, arbitrary: fc.constantFrom(0, 1, 3, 8, 15) },
      ),
      space: this.#space(),
      zero: this.#zero(),
      data: values.vaddr(),
      length: values.mapSize(),
      iova: values.iova(),
    };
    return this.#of(fields, ({ size, flags, space, zero, data, length, iova }) => {
      // The kernel's choice follows the alignment of the memory, which only that of `good` is known of.
      const isOwn = data.place === "half" || data.place === "read-only";
      const chosen = (flags & 1) === 0 && isOwn ? { ...data, place: "good" as const } : data;
      return {
        ...request(IOMMU_IOAS_MAP, [size, flags, space, zero], [0n, length, iova]),
        reach: { at: 0, data: chosen, length },
      };
    });
  }

  #unmap(): Arbitrary<Operation> {
    const fields = {
      size: this.#size(24),
      space: this.#space(),
      range: this.#fc.oneof(
        { weight: 6, arbitrary: this.#values.range(8) },
        { weight: 1, arbitrary: this.#fc.constant({ iova: 0n, size: (1n << 64n) - 1n }) },
      ),
    };
    return this.#of(
      fields,
      ({ size, space, range }) =>
        request(IOMMU_IOAS_UNMAP, [size, space], [range.iova, range.size]),
    );
  }

  #copy(): Arbitrary<Operation> {
    const values = this.#values;
    const fields = {
      size: this.#size(40),
      flags: values.rather(7, 5, 6, 1, 0, 8),
      to: this.#space(),
      from: this.#space(),
      length: values.mapSize(),
      at: values.iova(),
      source: values.iova(),
    };
    return this.#of(
      fields,
      ({ size, flags, to, from, length, at, source }) =>
        request(IOMMU_IOAS_COPY, [size, flags, to, from], [length, at, source]),
    );
  }

  #option(): Arbitrary<Operation> {
    const fields = {
      size: this.#size(24),
      option: this.#values.mostly(this.#fc.constantFrom(0, 1), this.#fc.constantFrom(2, 99), 12),
      // The operation is 16 bits of the word, the others are reserved.
      op: this.#values.mostly(this.#fc.constantFrom(0, 1), this.#fc.constantFrom(2, 0x10000), 12),
      object: this.#id(0, SPACE, SPACE, FIRST),
      value: this.#values.mostly(
        this.#fc.constantFrom(0n, 1n),
        this.#fc.constantFrom(2n, 1n << 32n, (1n << 64n) - 1n),
        9,
      ),
    };
    return this.#of(
      fields,
      ({ size, option, op, object, value }) =>
        request(IOMMU_OPTION, [size, option, op, object], [value]),
    );
  }

  /** Where a list or a bitmap is: nearly always memory that can be written. */
  #place(): Arbitrary<Pointer> {
    const at = (place: Pointer["place"], offset = 0): Pointer => ({ place, offset });
    return this.#values.mostly(
      this.#fc.constantFrom(at("bits"), at("bits"), at("bits"), at("bits", 1), at("bits", 2048)),
      this.#fc.constantFrom(at("nowhere"), at("null"), at("read-only"), at("kernel")),
      14,
    );
  }

  #ranges(): Arbitrary<Operation> {
    const fields = {
      size: this.#size(32),
      space: this.#space(),
      count: this.#fc.constantFrom(0, 1, 2, 16),
      zero: this.#zero(),
      data: this.#place(),
    };
    return this.#of(fields, ({ size, space, count, zero, data }) => ({
      ...request(IOMMU_IOAS_IOVA_RANGES, [size, space, count, zero], [0n, 0n]),
      reach: { at: 0, data, length: BigInt(16 * count), fill: 0 },
    }));
  }

  /** Allowed ranges: none, or lists of bytes that are all alike, which hold no sound range. */
  #allow(): Arbitrary<Operation> {
    const fields = {
      size: this.#size(24),
      space: this.#space(),
      count: this.#values.rather(0, 1, 2),
      zero: this.#zero(),
      data: this.#place(),
      fill: this.#fc.constantFrom(0, 1, 0xff),
    };
    return this.#of(fields, ({ size, space, count, zero, data, fill }) => ({
      ...request(IOMMU_IOAS_ALLOW_IOVAS, [size, space, count, zero], [0n]),
      reach: { at: 0, data, length: BigInt(16 * count), fill },
    }));
  }

  #allocate(): Arbitrary<Operation> {
    const fields = { size: this.#size(12), zero: this.#zero() };
    return this.#of(fields, ({ size, zero }) => request(IOMMU_IOAS_ALLOC, [size, zero, 0]));
  }

  #destroy(): Arbitrary<Operation> {
    const id = this.#fc.integer({ min: 0, max: 12 });
    return this.#of(
      { size: this.#size(8), id },
      ({ size, id }) => request(IOMMU_DESTROY, [size, id]),
    );
  }

  #table(): Arbitrary<Operation> {
    const fields = {
      size: this.#size(48),
      flags: this.#fc.constantFrom(2, 2, 2, 0, 1, 3, 16),
      device: this.#id(DEVICE),
      space: this.#space(),
      zero: this.#zero(),
    };
    return this.#of(
      fields,
      ({ size, flags, device, space, zero }) =>
        request(IOMMU_HWPT_ALLOC, [size, flags, device, space, 0, zero, 0, 0], [0n, 0n]),
    );
  }

  #track(): Arbitrary<Operation> {
    const fields = {
      size: this.#size(16),
      flags: this.#values.mostly(this.#fc.constantFrom(1, 1, 0), this.#fc.constant(2), 12),
      table: this.#id(TABLE),
      zero: this.#zero(),
    };
    return this.#of(
      fields,
      ({ size, flags, table, zero }) =>
        request(IOMMU_HWPT_SET_DIRTY_TRACKING, [size, flags, table, zero]),
    );
  }

  /** Pages that are made dirty, by a byte that says which of eight. */
  #dirty(): Arbitrary<Operation> {
    const fields = {
      table: this.#id(TABLE),
      first: this.#fc.integer({ min: 0, max: 70 }),
      pages: this.#fc.constantFrom(1, 2, 8, 16, 40, 0),
      fill: this.#fc.constantFrom(0xff, 0x01, 0x55, 0x80, 0),
    };
    return this.#of(fields, ({ table, first, pages, fill }) => {
      const length = page(pages);
      const range = [BASE + page(first), length, MOCK_PAGE];
      return {
        ...request(MOCK, [MOCK_SIZE, DIRTY, table, 0, 0, 0], [...range, 0n, 0n]),
        reach: {
          at: 3,
          data: { place: "bits", offset: 0 },
          length: length / MOCK_PAGE / 8n + 1n,
          fill,
        },
      };
    });
  }

  #get(): Arbitrary<Operation> {
    const [fc, values] = [this.#fc, this.#values];
    const fields = {
      size: this.#size(48),
      table: this.#id(TABLE),
      flags: values.mostly(fc.constantFrom(0, 0, 1), fc.constant(2), 20),
      zero: this.#zero(),
      range: values.range(8),
      unit: values.mostly(
        fc.constantFrom(MOCK_PAGE, MOCK_PAGE, page(1), page(2)),
        fc.constantFrom(0n, 1n, 512n, page(3), 1n << 21n, 1n << 63n),
        12,
      ),
      data: this.#place(),
      fill: values.rather(0, 0xff, 1),
    };
    return this.#of(fields, ({ size, table, flags, zero, range, unit, data, fill }) => ({
      ...request(
        IOMMU_HWPT_GET_DIRTY_BITMAP,
        [size, table, flags, zero],
        [range.iova, range.size, unit, 0n],
      ),
      reach: { at: 3, data, length: bitmapReach(range.size, unit), fill },
    }));
  }

  /** Another mock device, with an IOMMU that tracks dirty pages or not. */
  #device(): Arbitrary<Operation> {
    const fields = { target: this.#id(FIRST, SPACE, TABLE), flags: this.#fc.constantFrom(0, 1) };
    return this.#of(
      fields,
      ({ target, flags }) =>
        request(MOCK, [MOCK_SIZE, MAKE_FLAGS, target, 0, 0, 0, 0, flags], [0n, 0n, 0n, 0n, 0n]),
    );
  }

  /** Attaches the mock device to something else. */
  #replace(): Arbitrary<Operation> {
    const fields = { device: this.#id(2), target: this.#id(FIRST, SPACE, TABLE) };
    return this.#of(
      fields,
      ({ device, target }) =>
        request(MOCK, [MOCK_SIZE, REPLACE, device, 0, target, 0, 0, 0], [0n, 0n, 0n, 0n, 0n]),
    );
  }

  #file(): Arbitrary<Operation> {
    return this.#fc.record({
      op: this.#fc.constantFrom("openIommufd", "closeIommufd"),
      iommufd: this.#values.rather(1, 0),
    });
  }
}

/** Sequences of operations of iommufd, most of them with a page table that tracks. */
export function iommufdSequences(fc: FastCheck, length: number): Arbitrary<Operation[]> {
  const body = fc.array(new IommufdRequests(fc).any(), {
    minLength: 1,
    maxLength: length,
    size: "max",
  });
  const start = fc.oneof(
    { weight: 8, arbitrary: fc.constant([...begin, ...filled, ...tabled]) },
    { weight: 3, arbitrary: fc.constant([...begin, ...tabled, ...filled]) },
    { weight: 2, arbitrary: fc.constant([...begin, ...filled]) },
    { weight: 1, arbitrary: fc.constant(begin.slice(0, 2)) },
  );
  return fc.record({ start, body }).map(({ start, body }) => [...start, ...body]);
}
