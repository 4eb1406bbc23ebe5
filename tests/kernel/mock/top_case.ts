/** What a MAP with a page table answers to memory that is not there, on any kernel with mock devices. */
import { Iommufd, type Kernel } from "../../../mod.ts";
import { IOMMU_IOAS_MAP, iommu_ioas_map } from "../../../lib/uapi/mod.ts";
import { answer } from "../support/raw.ts";
import { APERTURE, MockDevice } from "./mock.ts";

const TOP = 1n << 64n;
const FIXED_RW = 7;

/** Memory and bytes, with what comes: the end of the pages is tested before the pages. */
export const TOP_ROWS: readonly (readonly [vaddr: bigint, length: bigint, answer: string])[] = [
  [0x1000n, 0x1000n, "EFAULT"],
  [TOP - 0x2000n, 0x1000n, "EFAULT"],
  [TOP - 0x2000n, 0x1800n, "EOVERFLOW"], // in whole pages it ends at 2^64
  [TOP - 0x2000n, 0x2000n, "EOVERFLOW"],
  [TOP - 0x1000n, 0x1000n, "EOVERFLOW"],
];

/** Asks each row. */
export function askTop(kernel: Kernel): string[] {
  using iommufd = Iommufd.open({ kernel });
  using space = iommufd.addressSpace();
  using _device = new MockDevice(iommufd, space);
  return TOP_ROWS.map(([user_va, length]) => {
    const { bytes, fields } = iommu_ioas_map.create();
    const place = { ioas_id: space.id, length, iova: APERTURE.start };
    Object.assign(fields, { size: iommu_ioas_map.size, flags: FIXED_RW, user_va, ...place });
    return answer(iommufd.rawIoctl(IOMMU_IOAS_MAP, bytes));
  });
}
