/**
 * The request of the kernel's own iommufd tests (CONFIG_IOMMUFD_TEST): devices behind a mock IOMMU, whose
 * entries a program can make dirty.
 *
 * @see drivers/iommu/iommufd/selftest.c and iommufd_test.h
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import type { IommufdStruct } from "../rules/iommufd.ts";
import type { IommufdCall } from "./iommufd.ts";
import { BoundObject, type Hardware } from "./iommufd_device.ts";
import { HwptObject } from "./iommufd_hwpt.ts";
import { IoasObject, IommufdObject } from "./iommufd_object.ts";
import { LAST } from "./iopt_space.ts";
import { PAGE } from "./page.ts";

/** IOMMU_TEST_CMD. */
export const MOCK_REQUEST = 0x3ba0;
/** Its struct. */
export const MOCK_STRUCT: IommufdStruct = { size: 72, min: 72 };

const [ADD_RESERVED, MOCK_DOMAIN, CHECK_MAP, CHECK_REFS] = [1, 2, 3, 4];
const [REPLACE, MOCK_DOMAIN_FLAGS, DIRTY] = [10, 12, 13];
const [NO_DIRTY, HUGE_IOVA] = [1, 2];
const MOCK_PAGE = 2048n;
const TYPE_SELFTEST = 0xfeed_beef;

function hardware(flags: number): Hardware {
  const huge = (flags & HUGE_IOVA) !== 0;
  return {
    make: "mock",
    entries: huge ? [MOCK_PAGE, MOCK_PAGE * 512n] : [MOCK_PAGE],
    aperture: { start: 1n << 24n, end: (1n << 31n) - 1n },
    reserved: [],
    tracksDirty: (flags & NO_DIRTY) === 0,
    nests: true,
    type: TYPE_SELFTEST,
    data: new Uint8Array(Uint32Array.of(0, 0xdead_beef).buffer),
  };
}

/** A device of the mock IOMMU, which goes with this object. */
class MockObject extends IommufdObject {
  readonly kind = "mock";
  device: BoundObject | undefined;

  override destroy(): void {
    this.device?.unbind();
  }
}

/** Answers a command: 0 or -errno. */
export function answerMock(call: IommufdCall): number {
  const view = new DataView(call.bytes.buffer, call.bytes.byteOffset);
  const op = view.getUint32(4, true);
  const id = view.getUint32(8, true);
  const long = (at: number): bigint => view.getBigUint64(at, true);
  switch (op) {
    case ADD_RESERVED:
      return reserve(call, id, long(16), long(24));
    case MOCK_DOMAIN:
    case MOCK_DOMAIN_FLAGS:
      return makeDevice(call, id, op === MOCK_DOMAIN ? 0 : view.getUint32(28, true), view);
    case CHECK_MAP:
      return checkMap(call, id, { iova: long(16), size: long(24), vaddr: long(32) });
    case CHECK_REFS:
      return checkRefs(call, long(16), long(24), view.getUint32(32, true));
    case REPLACE:
      return replace(call, id, view);
    case DIRTY:
      return makeDirty(call, id, view);
    default:
      return -ERRNO.EOPNOTSUPP;
  }
}

function reserve({ objects }: IommufdCall, id: number, start: bigint, length: bigint): number {
  if (length === 0n) return -ERRNO.EINVAL;
  if (start + length - 1n > LAST) return -ERRNO.EOVERFLOW;
  const iopt = objects.find(id, IoasObject)?.iopt;
  return iopt?.reserve(start, start + length - 1n, undefined) ?? -ERRNO.ENOENT;
}

function makeDevice({ objects }: IommufdCall, id: number, flags: number, view: DataView): number {
  const mock = new MockObject();
  const mockId = objects.add(mock);
  const device = new BoundObject(objects, hardware(flags), {
    hwpt: undefined,
    attached: new Set(),
  });
  const deviceId = objects.add(device);
  mock.device = device;
  // The object of the device is found by its number only once it is whole.
  const result = id === mockId ? -ERRNO.ENOENT : device.attach(id);
  if (result < 0) {
    objects.remove(mock);
    return result;
  }
  for (const [i, value] of [mockId, result, deviceId].entries()) {
    view.setUint32(16 + 4 * i, value, true);
  }
  return 0;
}

function replace({ objects }: IommufdCall, id: number, view: DataView): number {
  const device = objects.find(id, MockObject)?.device;
  const result = device?.attach(view.getUint32(16, true)) ?? -ERRNO.ENOENT;
  if (result < 0) return result;
  view.setUint32(16, result, true);
  return 0;
}

function checkMap(
  { objects, current }: IommufdCall,
  id: number,
  { iova, size, vaddr }: { iova: bigint; size: bigint; vaddr: bigint },
): number {
  if ([iova, size, vaddr].some((value) => value % MOCK_PAGE !== 0n)) return -ERRNO.EINVAL;
  const hwpt = objects.find(id, HwptObject);
  if (hwpt === undefined) return -ERRNO.ENOENT;
  for (let at = 0n; at < size; at += MOCK_PAGE) {
    if (!current.memory.has(vaddr + at, 1n)) return -ERRNO.EFAULT;
    const area = hwpt.ioas.iopt.areas.overlapping(iova + at, 1n);
    if (area?.vaddr(iova + at) !== vaddr + at) return -ERRNO.EINVAL;
  }
  return 0;
}

function checkRefs(call: IommufdCall, size: bigint, vaddr: bigint, refs: number): number {
  if (size % PAGE !== 0n || vaddr % PAGE !== 0n) return -ERRNO.EINVAL;
  const pages = new Set(
    [...call.objects].filter((object) => object instanceof IoasObject)
      .flatMap(({ iopt }) => [...iopt.areas].map((area) => area.pages)),
  );
  for (let at = vaddr; at < vaddr + size; at += PAGE) {
    const count = [...pages].filter((one) =>
      one.owner === call.current && at >= one.address && one.has((at - one.address) / PAGE)
    );
    if (count.length !== refs) return -ERRNO.EIO;
  }
  return 0;
}

function makeDirty({ objects, current }: IommufdCall, id: number, view: DataView): number {
  const long = (at: number): bigint => view.getBigUint64(at, true);
  const [iova, size, page, source] = [long(24), long(32), long(40), long(48)];
  if (page === 0n || size === 0n || iova % page !== 0n || size % page !== 0n || source === 0n) {
    return -ERRNO.EINVAL;
  }
  const hwpt = objects.find(id, HwptObject);
  if (hwpt === undefined) return -ERRNO.ENOENT;
  if (!hwpt.dirty.tracking) return -ERRNO.EINVAL;
  const bits = Number(size / page);
  const bytes = new Uint8Array(Math.ceil(bits / 8));
  if (!current.memory.read(source, bytes)) return -ERRNO.EFAULT;
  let count = 0n;
  for (let bit = 0; bit < bits; bit += 1) {
    if ((bytes[bit >> 3]! >> (bit & 7) & 1) === 0) continue;
    const at = iova + BigInt(bit) * page;
    if (hwpt.ioas.iopt.areas.overlapping(at, 1n) === undefined) continue;
    hwpt.dirty.note(at, MOCK_PAGE);
    count += 1n;
  }
  view.setBigUint64(56, count, true);
  return 0;
}
