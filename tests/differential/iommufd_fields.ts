/** What requests of iommufd are made of: numbers of objects, sizes of structs, places of memory. */
import type { Arbitrary, FastCheck } from "./fast_check.ts";
import type { Operation, Pointer } from "./operation.ts";
import { PAGE } from "./places.ts";
import { BASE, type Range, Values } from "./values.ts";

/** A request of iommufd. */
export type Request = Operation & { readonly op: "iommufd" };

/** The request of the kernel's own tests. @see drivers/iommu/iommufd/iommufd_test.h */
export const MOCK = 0x3ba0;
/** Bytes of its struct. */
export const MOCK_SIZE = 72;
/** Its operations. */
export const [MAKE, REPLACE, MAKE_FLAGS, DIRTY] = [2, 10, 12, 13];
/** Bytes of a page of the mock IOMMU. */
export const MOCK_PAGE = 2048n;

/** What the start makes, by the numbers that a kernel gives: the first is 1. */
export const [FIRST, DEVICE, SPACE, TABLE] = [1, 3, 5, 6];
/** So many pages, in bytes. */
export const page = (n: number): bigint => BigInt(n * PAGE);

/** A request of the first file: words of 32 bits, then of 64. */
export const request = (
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

/** Draws the fields of requests. */
export class IommufdFields {
  readonly fc: FastCheck;
  readonly values: Values;

  constructor(fc: FastCheck) {
    this.fc = fc;
    this.values = new Values(fc);
  }

  /** The number of an object: mostly that of the kind that is wanted. */
  id(...usual: [number, ...number[]]): Arbitrary<number> {
    const fc = this.fc;
    return this.values.mostly(
      fc.constantFrom(...usual),
      fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: 0, max: 12 }) },
        { weight: 1, arbitrary: fc.constantFrom(999, 0x7fff_ffff, 0xffff_ffff) },
      ),
      9,
    );
  }

  /** The number of an address space. */
  space(): Arbitrary<number> {
    return this.id(SPACE, SPACE, SPACE, FIRST);
  }

  /** A size that a struct says: right in nearly all cases. */
  size(right: number): Arbitrary<number> {
    return this.values.mostly(
      this.fc.constant(right),
      this.fc.constantFrom(0, 4, right - 4, right - 1, right + 4, right + 8, 4096),
      30,
    );
  }

  /** Zero, where a kernel wants that. */
  zero(): Arbitrary<number> {
    return this.values.mostly(this.fc.constant(0), this.fc.constantFrom(1, 0x8000_0000), 40);
  }

  /** A request from values that are drawn, mostly to the first file. */
  of<T extends object>(
    fields: { [K in keyof T]: Arbitrary<T[K]> },
    make: (values: T) => Request,
  ): Arbitrary<Operation> {
    const fc = this.fc;
    return fc.record({ iommufd: this.values.rather(0, 1), values: fc.record<T>(fields) })
      .map(({ iommufd, values }) => ({ ...make(values), iommufd }));
  }

  /** Where a list or a bitmap is: nearly always memory that can be written. */
  place(): Arbitrary<Pointer> {
    const at = (place: Pointer["place"], offset = 0): Pointer => ({ place, offset });
    return this.values.mostly(
      this.fc.constantFrom(at("bits"), at("bits"), at("bits"), at("bits", 1), at("bits", 2048)),
      this.fc.constantFrom(at("nowhere"), at("null"), at("read-only"), at("kernel")),
      14,
    );
  }

  /** A mapping of the start, or a part of one, mostly. */
  part(): Arbitrary<Range> {
    const range = (first: number, pages: number): Range => ({
      iova: BASE + page(first),
      size: page(pages),
    });
    const { fc, values } = this;
    const known = fc.constantFrom(
      ...[range(0, 8), range(8, 3), range(0, 11), range(16, 64)],
      ...[range(2, 1), range(3, 5), range(20, 16), range(79, 1)],
    );
    return fc.oneof(
      { weight: 3, arbitrary: known },
      { weight: 1, arbitrary: values.range(8) },
      { weight: 1, arbitrary: fc.record({ iova: values.iova(), size: values.mapSize() }) },
    );
  }
}
