/** The patterns of the kernel's own iommufd selftest, through our objects on the mock IOMMU. */
import { type HostMemory, type Hwpt, Iommufd, rawLinux as linux } from "../../../mod.ts";
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { hugePages } from "../support/huge_pages.ts";
import { largeBitmap } from "./large_case.ts";
import { APERTURE, HUGE_IOVA, makeDirty, MOCK_HUGE, MOCK_PAGE, MockDevice } from "./mock.ts";

const KiB = 1n << 10n;
const MiB = 1n << 20n;

interface Variant {
  name: string;
  size: bigint;
  huge?: true;
}

const VARIANTS: readonly Variant[] = [
  { name: "8k: half a byte", size: 8n * KiB },
  { name: "16k: a byte", size: 16n * KiB },
  { name: "64k: 32 bits", size: 64n * KiB },
  { name: "128k: a word", size: 128n * KiB },
  { name: "320k: two words and an end", size: 320n * KiB },
  { name: "64M: a page of bitmap", size: 64n * MiB },
  { name: "64M in huge entries", size: 64n * MiB, huge: true },
  { name: "128M: two pages of bitmap", size: 128n * MiB },
  { name: "128M in huge entries", size: 128n * MiB, huge: true },
];

/** Where the bitmap begins in its memory: a page, half a page on, and at an odd byte. */
const PLACEMENTS = [0, 2048, 0xff1];

/** A page table with one mapping at the aperture's begin, and memory for bitmaps. */
function scene({ size, huge }: Variant): {
  stack: DisposableStack;
  iommufd: Iommufd;
  table: Hwpt;
  bitmap: HostMemory;
} {
  using stack = new DisposableStack();
  if (huge) stack.use(hugePages(Number(size / (2n * MiB))));
  const iommufd = stack.use(Iommufd.open());
  const first = stack.use(iommufd.addressSpace());
  const device = stack.use(new MockDevice(iommufd, first, huge ? HUGE_IOVA : 0));
  const space = stack.use(iommufd.addressSpace());
  const memory = stack.use(iommufd.allocate(size, huge ? { hugePageSize: 2n * MiB } : {}));
  space.map(memory, { iova: APERTURE.start });
  const table = space.pageTable(device, { dirtyTracking: true });
  table.setDirtyTracking(true);
  const bytes = size / MOCK_PAGE / 8n;
  // Behind the bitmap: the largest placement, and slack.
  const bitmap = stack.use(iommufd.allocate((bytes + 4095n) / 4096n * 4096n + 4n * 4096n));
  return { stack: stack.move(), iommufd, table, bitmap };
}

/** Entries of `npte` pages: one is dirty, the next is clean, and so on. */
function pattern(bits: number, npte: number): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(bits / 8));
  for (let i = 0; i < bits; i += 2 * npte) {
    for (let j = 0; j < npte && i + j < bits; j += 1) bytes[i + j >> 3]! |= 1 << (i + j & 7);
  }
  return bytes;
}

/** Says where bitmaps differ: of a large one, a list of all bytes takes a minute, and much memory. */
function same(found: Uint8Array, wanted: Uint8Array, what: string): void {
  const at = found.findIndex((byte, i) => byte !== wanted[i]);
  equal([found.length, at], [wanted.length, -1], `${what}: ${found[at]} for ${wanted[at]}`);
}

function check(variant: Variant, placement: number, clear: boolean): void {
  const { stack, iommufd, table, bitmap } = scene(variant);
  using _all = stack;
  const { size } = variant;
  const npte = variant.huge ? Number(MOCK_HUGE / MOCK_PAGE) : 1;
  const bits = Number(size / MOCK_PAGE);
  const range = { iova: APERTURE.start, size };
  const target = {
    address: bitmap.address + BigInt(placement),
    size: Math.ceil(bits / 8),
  };
  const view = bitmap.bytes.subarray(placement, placement + target.size);

  // The first page of every second entry is made dirty.
  for (let i = 0; i < bits; i += 2 * npte) view[i >> 3]! |= 1 << (i & 7);
  const made = makeDirty(iommufd, table.id, { ...range, pageSize: MOCK_PAGE }, target);
  equal(made, { result: "OK", count: BigInt(Math.max(1, Math.floor(bits / (2 * npte)))) });

  const read = (): Uint8Array => {
    view.fill(0);
    table.readDirty(range, target, { pageSize: MOCK_PAGE, clear });
    return view.slice();
  };
  const wanted = pattern(bits, npte);
  same(read(), wanted, "the first read");
  same(read(), clear ? new Uint8Array(wanted.length) : wanted, "the second read");
  // Nothing but the bitmap was written.
  equal(bitmap.bytes.subarray(0, placement).every((byte) => byte === 0), true);
  equal(bitmap.bytes.subarray(placement + target.size).every((byte) => byte === 0), true);
}

describe("hwpt.readDirty on the mock IOMMU", () => {
  for (const variant of VARIANTS) {
    for (const placement of PLACEMENTS) {
      for (const clear of [true, false]) {
        const where = `the bitmap at byte ${placement}`;
        it(`${variant.name}, ${where}, ${clear ? "taken" : "looked at"}`, () => {
          check(variant, placement, clear);
        });
      }
    }
  }

  it("reads a part of a mapping, and leaves the rest for later", () => {
    const { stack, iommufd, table, bitmap } = scene(VARIANTS[2]!);
    using _all = stack;
    bitmap.bytes.fill(0xff, 0, 4); // all 32 pages
    const whole = { iova: APERTURE.start, size: 64n * KiB };
    makeDirty(iommufd, table.id, { ...whole, pageSize: MOCK_PAGE }, bitmap);
    const read = (at: bigint, pages: bigint): number => {
      bitmap.bytes.fill(0);
      const range = { iova: APERTURE.start + at * MOCK_PAGE, size: pages * MOCK_PAGE };
      table.readDirty(range, { address: bitmap.address, size: 4 }, { pageSize: MOCK_PAGE });
      return new Uint32Array(bitmap.bytes.buffer, 0, 1)[0]!;
    };
    equal([read(3n, 5n), read(3n, 5n)], [0b11111, 0]);
    equal(read(0n, 32n), 0xffff_ff07, "all but the five that were taken");
  });

  it("takes larger pages of the bitmap: one is dirty if a part of it is", () => {
    const { stack, iommufd, table, bitmap } = scene(VARIANTS[2]!);
    using _all = stack;
    bitmap.bytes[0] = 0b1000_0001; // mock pages 0 and 7
    const whole = { iova: APERTURE.start, size: 64n * KiB };
    makeDirty(iommufd, table.id, { ...whole, pageSize: MOCK_PAGE }, bitmap);
    bitmap.bytes.fill(0);
    table.readDirty(whole, { address: bitmap.address, size: 2 }); // 4096 by default
    equal([...bitmap.bytes.subarray(0, 3)], [0b1001, 0, 0]);
  });

  it("may be larger than the 2 MiB that the kernel pins at a time, at any byte", () => {
    largeBitmap(linux);
  });

  it("begins clean when it is switched on", () => {
    const { stack, iommufd, table, bitmap } = scene(VARIANTS[2]!);
    using _all = stack;
    const whole = { iova: APERTURE.start, size: 64n * KiB };
    bitmap.bytes[0] = 0xff;
    makeDirty(iommufd, table.id, { ...whole, pageSize: MOCK_PAGE }, bitmap);
    table.setDirtyTracking(true);
    bitmap.bytes.fill(0);
    table.readDirty(whole, { address: bitmap.address, size: 2 });
    equal(bitmap.bytes[0], 0);
  });
});
