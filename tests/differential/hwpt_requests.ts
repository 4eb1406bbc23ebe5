/** Arbitraries of what page tables of iommufd are asked, and the mock IOMMU is told. */
import {
  IOMMU_HWPT_ALLOC,
  IOMMU_HWPT_GET_DIRTY_BITMAP,
  IOMMU_HWPT_SET_DIRTY_TRACKING,
} from "../../lib/uapi/mod.ts";
import type { Arbitrary } from "./fast_check.ts";
import {
  DEVICE,
  DIRTY,
  FIRST,
  type IommufdFields,
  MAKE_FLAGS,
  MOCK,
  MOCK_PAGE,
  MOCK_SIZE,
  page,
  REPLACE,
  request,
  SPACE,
  TABLE,
} from "./iommufd_fields.ts";
import type { Operation } from "./operation.ts";
import { BASE } from "./values.ts";

/** Bytes that a read of dirty bits may touch, whatever it is that it reads. */
function bitmapReach(length: bigint, pageSize: bigint): bigint {
  const unit = pageSize & -pageSize;
  return unit === 0n ? 8n : (length / unit + 7n) / 8n + 8n;
}

/** Draws requests of page tables. */
export class HwptRequests {
  readonly #fields: IommufdFields;

  constructor(fields: IommufdFields) {
    this.#fields = fields;
  }

  /** HWPT_ALLOC. */
  table(): Arbitrary<Operation> {
    const fields = {
      size: this.#fields.size(48),
      flags: this.#fields.fc.constantFrom(2, 2, 2, 0, 1, 3, 16),
      device: this.#fields.id(DEVICE),
      space: this.#fields.space(),
      zero: this.#fields.zero(),
    };
    return this.#fields.of(
      fields,
      ({ size, flags, device, space, zero }) =>
        request(IOMMU_HWPT_ALLOC, [size, flags, device, space, 0, zero, 0, 0], [0n, 0n]),
    );
  }

  /** HWPT_SET_DIRTY_TRACKING. */
  track(): Arbitrary<Operation> {
    const fields = {
      size: this.#fields.size(16),
      flags: this.#fields.values.mostly(
        this.#fields.fc.constantFrom(1, 1, 0),
        this.#fields.fc.constant(2),
        12,
      ),
      table: this.#fields.id(TABLE),
      zero: this.#fields.zero(),
    };
    return this.#fields.of(
      fields,
      ({ size, flags, table, zero }) =>
        request(IOMMU_HWPT_SET_DIRTY_TRACKING, [size, flags, table, zero]),
    );
  }

  /** Pages that are made dirty, by a byte that says which of eight. */
  dirty(): Arbitrary<Operation> {
    const fields = {
      table: this.#fields.id(TABLE),
      first: this.#fields.fc.integer({ min: 0, max: 70 }),
      pages: this.#fields.values.mostly(
        this.#fields.fc.constantFrom(1, 2, 8, 16, 40),
        this.#fields.fc.constant(0),
        12,
      ),
      fill: this.#fields.fc.constantFrom(0xff, 0x01, 0x55, 0x80, 0),
    };
    return this.#fields.of(fields, ({ table, first, pages, fill }) => {
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

  /** HWPT_GET_DIRTY_BITMAP. */
  get(): Arbitrary<Operation> {
    const [fc, values] = [this.#fields.fc, this.#fields.values];
    const fields = {
      size: this.#fields.size(48),
      table: this.#fields.id(TABLE),
      flags: values.mostly(fc.constantFrom(0, 0, 1), fc.constant(2), 20),
      zero: this.#fields.zero(),
      range: this.#fields.part(),
      unit: values.mostly(
        fc.constantFrom(MOCK_PAGE, MOCK_PAGE, page(1), page(2)),
        fc.constantFrom(0n, 1n, 512n, page(3), 1n << 21n, 1n << 63n),
        12,
      ),
      data: this.#fields.place(),
      fill: values.rather(0, 0xff, 1),
    };
    return this.#fields.of(fields, ({ size, table, flags, zero, range, unit, data, fill }) => ({
      ...request(
        IOMMU_HWPT_GET_DIRTY_BITMAP,
        [size, table, flags, zero],
        [range.iova, range.size, unit, 0n],
      ),
      reach: { at: 3, data, length: bitmapReach(range.size, unit), fill },
    }));
  }

  /** Another mock device, with an IOMMU that tracks dirty pages or not. */
  device(): Arbitrary<Operation> {
    const fields = {
      target: this.#fields.id(FIRST, SPACE, TABLE),
      flags: this.#fields.fc.constantFrom(0, 1),
    };
    return this.#fields.of(
      fields,
      ({ target, flags }) =>
        request(MOCK, [MOCK_SIZE, MAKE_FLAGS, target, 0, 0, 0, 0, flags], [0n, 0n, 0n, 0n, 0n]),
    );
  }

  /** Attaches the mock device to something else. */
  replace(): Arbitrary<Operation> {
    const fields = { device: this.#fields.id(2), target: this.#fields.id(FIRST, SPACE, TABLE) };
    return this.#fields.of(
      fields,
      ({ device, target }) =>
        request(MOCK, [MOCK_SIZE, REPLACE, device, 0, target, 0, 0, 0], [0n, 0n, 0n, 0n, 0n]),
    );
  }

  /** Another file, or the end of one. */
  file(): Arbitrary<Operation> {
    return this.#fields.fc.record({
      op: this.#fields.fc.constantFrom("openIommufd", "closeIommufd"),
      iommufd: this.#fields.values.rather(1, 0),
    });
  }
}
