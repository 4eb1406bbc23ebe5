/**
 * Devices behind the mock IOMMU of the kernel's own tests (CONFIG_IOMMUFD_TEST).
 *
 * @see drivers/iommu/iommufd/iommufd_test.h, struct iommu_test_cmd
 */

import type { Kernel } from "../sys/kernel.ts";
import { type Layout, struct } from "../uapi/layout.ts";
import { RawIommufd } from "./iommufd.ts";
import { answer, must, Unprepared } from "./raw.ts";

const REQUEST = 0x3ba0;
const SIZE = 72;
const [ADD_RESERVED, REPLACE, MAKE, DIRTY] = [1, 10, 12, 13];

/** The device's IOMMU does not track dirty pages. */
export const NO_DIRTY = 1;
/** The device's IOMMU has entries of 512 of its pages. */
export const HUGE_IOVA = 2;
/** Bytes of its page: half of the processor's. */
export const MOCK_PAGE = 2048n;
/** Where it translates: both ends included. */
export const APERTURE = [1n << 24n, (1n << 31n) - 1n] as const;

function command(op: number, id: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, SIZE, true);
  view.setUint32(4, op, true);
  view.setUint32(8, id, true);
  return { bytes, view };
}

/** A device: the number of its own object, that of the device, and that of its page table. */
export interface MockDevice {
  readonly object: number;
  readonly device: number;
  readonly hwpt: number;
}

/** Makes a device that is attached to an address space or a page table; it goes with its object. */
export function tryMock(
  iommufd: RawIommufd,
  target: number,
  flags: number = 0,
): { readonly result: number; readonly value: MockDevice } {
  const { bytes, view } = command(MAKE, target);
  view.setUint32(28, flags, true);
  const result = iommufd.ask(REQUEST, bytes);
  const [object = 0, hwpt = 0, device = 0] = [16, 20, 24].map((at) => view.getUint32(at, true));
  return { result, value: { object, hwpt, device } };
}

/** The same, which must work. */
export function mockDevice(iommufd: RawIommufd, target: number, flags: number = 0): MockDevice {
  const { result, value } = tryMock(iommufd, target, flags);
  must(result, "MOCK_DOMAIN");
  return value;
}

/** Attaches a device to something else. */
export function replaceMock(iommufd: RawIommufd, { object }: MockDevice, target: number): number {
  const { bytes, view } = command(REPLACE, object);
  view.setUint32(16, target, true);
  return iommufd.ask(REQUEST, bytes);
}

/** Reserves addresses of an address space, as a device may. */
export function reserve(iommufd: RawIommufd, ioas: number, start: bigint, size: bigint): number {
  const { bytes, view } = command(ADD_RESERVED, ioas);
  view.setBigUint64(16, start, true);
  view.setBigUint64(24, size, true);
  return iommufd.ask(REQUEST, bytes);
}

const dirtyFields = {
  size: "u32",
  op: "u32",
  id: "u32",
  reserved: "u32",
  flags: "u32",
  pad: "u32",
  iova: "u64",
  length: "u64",
  page_size: "u64",
  source: "ptr",
  count: "u64",
} as const;
const dirtyStruct: Layout<typeof dirtyFields> = struct("iommu_test_cmd_dirty", dirtyFields);

/** Makes mock pages dirty by their numbers in a range, which must work. */
export function dirtyMock(
  iommufd: RawIommufd,
  hwpt: number,
  { iova, size }: { readonly iova: bigint; readonly size: bigint },
  pages: readonly number[],
): void {
  const count = Number(size / MOCK_PAGE);
  const bits = iommufd.kernel.allocate(Math.ceil(count / 64) * 8);
  for (const page of pages) bits[page >> 3]! |= 1 << (page & 7);
  const request = dirtyStruct.create(SIZE - dirtyStruct.size);
  const range = { iova, length: size, page_size: MOCK_PAGE };
  Object.assign(request.fields, { size: SIZE, op: DIRTY, id: hwpt, ...range });
  request.point("source", iommufd.kernel.addressOf(bits));
  must(iommufd.ask(REQUEST, request.bytes), "DIRTY");
}

/** Why there are no iommufd and no mock devices here; undefined where there are. */
export function missingIommufd(
  kernel: Kernel,
): { readonly iommufd: string | undefined; readonly mock: string | undefined } {
  try {
    using iommufd = RawIommufd.open(kernel);
    const { result } = tryMock(iommufd, iommufd.ioas());
    const mock = result < 0 ? `the kernel makes no mock devices: ${answer(result)}` : undefined;
    return { iommufd: undefined, mock };
  } catch (error) {
    if (!(error instanceof Unprepared)) throw error;
    const why = `the kernel has no iommufd: ${error.message}`;
    return { iommufd: why, mock: why };
  }
}
