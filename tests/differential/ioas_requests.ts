/** Arbitraries of what an address space of iommufd is asked. */
import {
  IOMMU_DESTROY,
  IOMMU_IOAS_ALLOC,
  IOMMU_IOAS_ALLOW_IOVAS,
  IOMMU_IOAS_COPY,
  IOMMU_IOAS_IOVA_RANGES,
  IOMMU_IOAS_MAP,
  IOMMU_IOAS_UNMAP,
  IOMMU_OPTION,
} from "../../lib/uapi/mod.ts";
import type { Arbitrary } from "./fast_check.ts";
import { FIRST, type IommufdFields, page, request, SPACE } from "./iommufd_fields.ts";
import type { Operation } from "./operation.ts";
import { BASE } from "./values.ts";

const at = (number: number): bigint => BASE + page(number);

/** Draws requests of address spaces. */
export class IoasRequests {
  readonly #fields: IommufdFields;

  constructor(fields: IommufdFields) {
    this.#fields = fields;
  }

  /** IOAS_MAP, at an address or where the kernel chooses. */
  map(): Arbitrary<Operation> {
    const [fc, values] = [this.#fields.fc, this.#fields.values];
    const fields = {
      size: this.#fields.size(40),
      // Without FIXED_IOVA the kernel chooses, by rules that both follow.
      flags: fc.oneof(
        { weight: 10, arbitrary: fc.constant(7) },
        { weight: 3, arbitrary: fc.constant(5) },
        { weight: 3, arbitrary: fc.constant(6) },
        { weight: 1, arbitrary: fc.constantFrom(0, 1, 3, 8, 15) },
      ),
      space: this.#fields.space(),
      zero: this.#fields.zero(),
      data: values.vaddr(),
      length: values.mapSize(),
      iova: values.iova(),
    };
    return this.#fields.of(fields, ({ size, flags, space, zero, data, length, iova }) => {
      // The kernel's choice follows the alignment of the memory, which only that of `good` is known of.
      const isOwn = data.place === "half" || data.place === "read-only";
      const chosen = (flags & 1) === 0 && isOwn ? { ...data, place: "good" as const } : data;
      return {
        ...request(IOMMU_IOAS_MAP, [size, flags, space, zero], [0n, length, iova]),
        reach: { at: 0, data: chosen, length },
      };
    });
  }

  /** IOAS_UNMAP. */
  unmap(): Arbitrary<Operation> {
    const fields = {
      size: this.#fields.size(24),
      space: this.#fields.space(),
      range: this.#fields.fc.oneof(
        { weight: 6, arbitrary: this.#fields.values.range(8) },
        { weight: 1, arbitrary: this.#fields.fc.constant({ iova: 0n, size: (1n << 64n) - 1n }) },
      ),
    };
    return this.#fields.of(
      fields,
      ({ size, space, range }) =>
        request(IOMMU_IOAS_UNMAP, [size, space], [range.iova, range.size]),
    );
  }

  /** IOAS_COPY. */
  copy(): Arbitrary<Operation> {
    const values = this.#fields.values;
    const fields = {
      size: this.#fields.size(40),
      flags: values.rather(7, 5, 6, 1, 0, 8),
      to: this.#fields.space(),
      from: this.#fields.space(),
      part: this.#fields.part(),
      // Behind the mappings of the start there is room.
      at: this.#fields.fc.oneof(
        { weight: 2, arbitrary: this.#fields.fc.integer({ min: 100, max: 400 }).map(at) },
        { weight: 1, arbitrary: values.iova() },
      ),
    };
    return this.#fields.of(
      fields,
      ({ size, flags, to, from, part, at }) =>
        request(IOMMU_IOAS_COPY, [size, flags, to, from], [part.size, at, part.iova]),
    );
  }

  /** OPTION. */
  option(): Arbitrary<Operation> {
    const fields = {
      size: this.#fields.size(24),
      option: this.#fields.values.mostly(
        this.#fields.fc.constantFrom(0, 1),
        this.#fields.fc.constantFrom(2, 99),
        12,
      ),
      // The operation is 16 bits of the word, the others are reserved.
      op: this.#fields.values.mostly(
        this.#fields.fc.constantFrom(0, 1),
        this.#fields.fc.constantFrom(2, 0x10000),
        12,
      ),
      object: this.#fields.id(0, SPACE, SPACE, FIRST),
      value: this.#fields.values.mostly(
        this.#fields.fc.constantFrom(0n, 1n),
        this.#fields.fc.constantFrom(2n, 1n << 32n, (1n << 64n) - 1n),
        9,
      ),
    };
    return this.#fields.of(
      fields,
      ({ size, option, op, object, value }) =>
        request(IOMMU_OPTION, [size, option, op, object], [value]),
    );
  }

  /** IOAS_IOVA_RANGES. */
  ranges(): Arbitrary<Operation> {
    const fields = {
      size: this.#fields.size(32),
      space: this.#fields.space(),
      count: this.#fields.fc.constantFrom(0, 1, 2, 16),
      zero: this.#fields.zero(),
      data: this.#fields.place(),
    };
    return this.#fields.of(fields, ({ size, space, count, zero, data }) => ({
      ...request(IOMMU_IOAS_IOVA_RANGES, [size, space, count, zero], [0n, 0n]),
      reach: { at: 0, data, length: BigInt(16 * count), fill: 0 },
    }));
  }

  /** Allowed ranges: none, or lists of bytes that are all alike, which hold no sound range. */
  allow(): Arbitrary<Operation> {
    const fields = {
      size: this.#fields.size(24),
      space: this.#fields.space(),
      count: this.#fields.values.rather(0, 1, 2),
      zero: this.#fields.zero(),
      data: this.#fields.place(),
      fill: this.#fields.fc.constantFrom(0, 1, 0xff),
    };
    return this.#fields.of(fields, ({ size, space, count, zero, data, fill }) => ({
      ...request(IOMMU_IOAS_ALLOW_IOVAS, [size, space, count, zero], [0n]),
      reach: { at: 0, data, length: BigInt(16 * count), fill },
    }));
  }

  /** IOAS_ALLOC. */
  allocate(): Arbitrary<Operation> {
    const fields = { size: this.#fields.size(12), zero: this.#fields.zero() };
    return this.#fields.of(fields, ({ size, zero }) => request(IOMMU_IOAS_ALLOC, [size, zero, 0]));
  }

  /** DESTROY of any object. */
  destroy(): Arbitrary<Operation> {
    const id = this.#fields.fc.integer({ min: 0, max: 12 });
    return this.#fields.of(
      { size: this.#fields.size(8), id },
      ({ size, id }) => request(IOMMU_DESTROY, [size, id]),
    );
  }
}
