/** A bitmap of more than the kernel pins at a time, on any kernel with mock devices. */

import { Iommufd, type Kernel } from "../../../mod.ts";
import { equal } from "../../std/assert.ts";
import { APERTURE, makeDirty, MOCK_PAGE, MockDevice } from "./mock.ts";

const SIZE = 32n << 20n;
/** Bytes of bitmap that the kernel pins at a time: 512 pages. */
const PART = 2 << 20;
/** Bytes of bitmap of a mock page, with a bit for each byte. */
const EACH = Number(MOCK_PAGE) / 8;

/** Where the bitmap begins in its memory. */
const OFFSETS = [0, 8, 0xff1];

/**
 * Reads 32 MiB with a bit for each byte, 4 MiB of bitmap: pages at the ends of its parts, and in the
 * middle of them.
 */
export function largeBitmap(kernel: Kernel): void {
  using iommufd = Iommufd.open({ kernel });
  using first = iommufd.addressSpace();
  using device = new MockDevice(iommufd, first);
  using space = iommufd.addressSpace({ hugePages: false });
  using memory = iommufd.allocate(SIZE);
  using _mapping = space.map(memory, { iova: APERTURE.start });
  using table = space.pageTable(device, { dirtyTracking: true });
  table.setDirtyTracking(true);
  using bits = iommufd.allocate(4096n);
  using bitmap = iommufd.allocate(SIZE / 8n + 4n * 4096n);
  const wanted = [
    0,
    5,
    PART / EACH - 1,
    PART / EACH,
    PART / EACH + 1,
    Number(SIZE / MOCK_PAGE) - 1,
  ];
  for (const offset of OFFSETS) {
    bits.bytes[0] = 1;
    for (const page of wanted) {
      const iova = APERTURE.start + BigInt(page) * MOCK_PAGE;
      const range = { iova, size: MOCK_PAGE, pageSize: MOCK_PAGE };
      equal(makeDirty(iommufd, table.id, range, bits), { result: "OK", count: 1n });
    }
    const target = { address: bitmap.address + BigInt(offset), size: Number(SIZE / 8n) };
    for (const clear of [false, true]) {
      bitmap.bytes.fill(0);
      const range = { iova: APERTURE.start, size: SIZE };
      table.readDirty(range, target, { pageSize: 1n, clear });
      equal(pagesIn(bitmap.bytes, offset), wanted, `at ${offset}`);
    }
  }
}

/** The mock pages whose bits are all set; others must have none. */
function pagesIn(bytes: Uint8Array, offset: number): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(0xff); at >= 0; at = bytes.indexOf(0xff, at + EACH)) {
    const page = (at - offset) / EACH;
    if (!Number.isInteger(page)) throw new Error(`a bit in byte ${at}, of no page`);
    if (bytes.subarray(at, at + EACH).some((byte) => byte !== 0xff)) {
      throw new Error(`not all of page ${page}`);
    }
    found.push(page);
  }
  const set = bytes.reduce((sum, byte) => sum + (byte === 0 ? 0 : 1), 0);
  if (set !== found.length * EACH) throw new Error(`${set} bytes of ${found.length} pages`);
  return found;
}
