/**
 * Random sequences for iommufd and the mock IOMMU: address spaces, mappings, page tables, dirty bits.
 * Objects are named by the kernel's own numbers, which both kernels must give alike.
 */
import {
  IOMMU_HWPT_ALLOC,
  IOMMU_HWPT_SET_DIRTY_TRACKING,
  IOMMU_IOAS_ALLOC,
  IOMMU_IOAS_MAP,
} from "../../lib/uapi/mod.ts";
import type { Arbitrary, FastCheck } from "./fast_check.ts";
import { HwptRequests } from "./hwpt_requests.ts";
import { IoasRequests } from "./ioas_requests.ts";
import {
  DEVICE,
  FIRST,
  IommufdFields,
  MAKE,
  MOCK,
  MOCK_SIZE,
  page,
  type Request,
  request,
  SPACE,
  TABLE,
} from "./iommufd_fields.ts";
import type { Operation } from "./operation.ts";
import { BASE } from "./values.ts";

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

/** One step of any kind. */
function anyRequest(fc: FastCheck): Arbitrary<Operation> {
  const fields = new IommufdFields(fc);
  const [ioas, hwpt] = [new IoasRequests(fields), new HwptRequests(fields)];
  return fc.oneof<Operation>(
    { weight: 8, arbitrary: ioas.map() },
    { weight: 5, arbitrary: ioas.unmap() },
    { weight: 5, arbitrary: ioas.copy() },
    { weight: 3, arbitrary: ioas.option() },
    { weight: 2, arbitrary: ioas.ranges() },
    { weight: 2, arbitrary: ioas.allow() },
    { weight: 2, arbitrary: ioas.allocate() },
    { weight: 3, arbitrary: ioas.destroy() },
    { weight: 3, arbitrary: hwpt.table() },
    { weight: 3, arbitrary: hwpt.track() },
    { weight: 8, arbitrary: hwpt.dirty() },
    { weight: 8, arbitrary: hwpt.get() },
    { weight: 2, arbitrary: hwpt.device() },
    { weight: 1, arbitrary: hwpt.replace() },
    { weight: 1, arbitrary: hwpt.file() },
  );
}

/** Sequences of operations of iommufd, most of them with a page table that tracks. */
export function iommufdSequences(fc: FastCheck, length: number): Arbitrary<Operation[]> {
  const body = fc.array(anyRequest(fc), {
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
