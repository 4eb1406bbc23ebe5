/** What the dirty requests of a page table answer to bad input, and what they swallow. */
import { type HostMemory, type Hwpt, type Ioas, Iommufd } from "../../../mod.ts";
import {
  IOMMU_DESTROY,
  IOMMU_GET_HW_INFO,
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
  IOMMU_VFIO_IOAS,
} from "../../../lib/uapi/mod.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { PAGE } from "../support/machine.ts";
import { NOWHERE } from "../support/place.ts";
import { refused } from "../support/refused.ts";
import { APERTURE, makeDirty, MOCK_PAGE, MockDevice, NO_DIRTY } from "./mock.ts";
import { allocTable, getDirty, type GetFields, ofSize, setTracking } from "./raw_hwpt.ts";

const FIRST = APERTURE.start;
const SIZE = 64n << 10n;

class Scene implements Disposable {
  readonly iommufd: Iommufd;
  readonly first: Ioas;
  readonly space: Ioas;
  readonly device: MockDevice;
  readonly table: Hwpt;
  readonly memory: HostMemory;
  readonly bitmap: HostMemory;
  readonly #stack: DisposableStack;

  constructor() {
    using stack = new DisposableStack();
    this.iommufd = stack.use(Iommufd.open());
    this.first = stack.use(this.iommufd.addressSpace());
    this.device = stack.use(new MockDevice(this.iommufd, this.first));
    this.space = stack.use(this.iommufd.addressSpace());
    this.memory = stack.use(this.iommufd.allocate(SIZE));
    this.bitmap = stack.use(this.iommufd.allocate(4n * PAGE));
    this.space.map(this.memory, { iova: FIRST });
    this.table = this.space.pageTable(this.device, { dirtyTracking: true });
    this.#stack = stack.move();
  }

  /** A good request with some fields changed. */
  get(changes: Partial<GetFields>): string {
    return getDirty(this.iommufd, {
      hwpt_id: this.table.id,
      flags: 0,
      __reserved: 0,
      iova: FIRST,
      length: SIZE,
      page_size: MOCK_PAGE,
      data: this.bitmap.address,
      ...changes,
    });
  }

  /** Makes the first eight mock pages dirty. */
  dirtyEight(): void {
    this.bitmap.bytes.fill(0);
    this.bitmap.bytes[0] = 0xff;
    const range = { iova: FIRST, size: SIZE, pageSize: MOCK_PAGE };
    const made = makeDirty(this.iommufd, this.table.id, range, this.bitmap);
    equal(made, { result: "OK", count: 8n });
    this.bitmap.bytes.fill(0);
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

describe("GET_DIRTY_BITMAP, raw", () => {
  const bad: readonly [string, Partial<GetFields>, string][] = [
    ["an unknown flag", { flags: 2 }, "EOPNOTSUPP"],
    ["the reserved field", { __reserved: 1 }, "EOPNOTSUPP"],
    ["no such page table", { hwpt_id: 0x7777 }, "ENOENT"],
    ["a range beyond 2^64", { iova: (1n << 64n) - PAGE, length: 2n * PAGE }, "EOVERFLOW"],
    ["length 0", { length: 0n }, "EOVERFLOW"],
    ["an iova off the smallest page", { iova: FIRST + 1n }, "EINVAL"],
    ["an end off the smallest page", { length: SIZE - 1n }, "EINVAL"],
    ["an iova off the bitmap's page", { iova: FIRST + MOCK_PAGE, page_size: PAGE }, "EINVAL"],
    ["an end off the bitmap's page", { length: SIZE - MOCK_PAGE, page_size: PAGE }, "EINVAL"],
    ["page size 0", { page_size: 0n }, "EINVAL"],
    ["a good request", {}, "OK"],
    ["a good request that does not clear", { flags: 1 }, "OK"],
  ];
  for (const [what, changes, wanted] of bad) {
    it(`${what}: ${wanted}`, () => {
      using scene = new Scene();
      scene.table.setDirtyTracking(true);
      equal(scene.get(changes), wanted);
    });
  }

  it("an address space in the place of a page table: ENOENT", () => {
    using scene = new Scene();
    equal(scene.get({ hwpt_id: scene.space.id }), "ENOENT");
  });

  it("a page table that the kernel made itself tracks nothing: EOPNOTSUPP", () => {
    using scene = new Scene();
    equal(scene.get({ hwpt_id: scene.device.pageTableId }), "EOPNOTSUPP");
    equal(setTracking(scene.iommufd, scene.device.pageTableId, 1), "EOPNOTSUPP");
  });

  it("answers OK and tells nothing where tracking is off", () => {
    using scene = new Scene();
    scene.table.setDirtyTracking(true);
    scene.dirtyEight();
    scene.table.setDirtyTracking(false);
    equal([scene.get({}), scene.bitmap.bytes[0]], ["OK", 0]);
    const read = (): void =>
      scene.table.readDirty({ iova: FIRST, size: SIZE }, { ...scene.bitmap, size: 4 });
    throws(read, ReferenceError, "tracking is off");
  });

  it("answers OK and ends at the first hole", () => {
    using scene = new Scene();
    using more = scene.iommufd.allocate(PAGE);
    scene.space.map(more, { iova: FIRST + SIZE + PAGE });
    scene.table.setDirtyTracking(true);
    scene.bitmap.bytes.fill(0xff, 0, 5);
    const size = SIZE + 2n * PAGE;
    const range = { iova: FIRST, size, pageSize: MOCK_PAGE };
    equal(makeDirty(scene.iommufd, scene.table.id, range, scene.bitmap).count, 34n);
    scene.bitmap.bytes.fill(0);
    equal(scene.get({ length: size }), "OK");
    equal([...scene.bitmap.bytes.subarray(0, 5)], [255, 255, 255, 255, 0], "the last two are lost");
    const target = { address: scene.bitmap.address, size: 5 };
    const read = (): void => scene.table.readDirty({ iova: FIRST, size }, target);
    throws(read, RangeError, "nothing is at iova 0x1010000");
  });

  it("answers OK with a bad pointer, and the bits are lost", () => {
    using scene = new Scene();
    scene.table.setDirtyTracking(true);
    scene.dirtyEight();
    equal(scene.get({ data: NOWHERE }), "OK");
    equal([scene.get({}), scene.bitmap.bytes[0]], ["OK", 0]);
  });

  it("sets bits and clears none", () => {
    using scene = new Scene();
    scene.table.setDirtyTracking(true);
    scene.dirtyEight();
    scene.bitmap.bytes[1] = 0x81;
    equal([scene.get({}), ...scene.bitmap.bytes.subarray(0, 3)], ["OK", 0xff, 0x81, 0]);
  });

  it("takes a page size that is no power of two by its lowest bit", () => {
    using scene = new Scene();
    scene.table.setDirtyTracking(true);
    scene.dirtyEight();
    // 3 * 4096: the range's ends are tested with its bits as a mask.
    const answer = scene.get({ page_size: 3n * PAGE, length: 16n * PAGE });
    equal([answer, ...scene.bitmap.bytes.subarray(0, 2)], ["OK", 0b1111, 0]);
    const read = (): void =>
      scene.table.readDirty(
        { iova: FIRST, size: SIZE },
        { address: scene.bitmap.address, size: 4 },
        { pageSize: 3n * PAGE },
      );
    throws(read, RangeError, "power of two");
  });
});

describe("SET_DIRTY_TRACKING, raw", () => {
  it("an unknown flag: EOPNOTSUPP; the reserved field is not looked at", () => {
    using scene = new Scene();
    equal(setTracking(scene.iommufd, scene.table.id, 2), "EOPNOTSUPP");
    equal(setTracking(scene.iommufd, scene.table.id, 1, 1), "OK");
    equal(setTracking(scene.iommufd, scene.table.id, 1), "OK", "twice");
    equal(setTracking(scene.iommufd, scene.table.id, 0), "OK");
    equal(setTracking(scene.iommufd, scene.table.id, 0), "OK", "off twice");
  });
});

describe("a page table with dirty tracking", () => {
  it("is for IOMMUs that track: others have it refused with the reason", () => {
    using iommufd = Iommufd.open();
    using space = iommufd.addressSpace();
    using device = new MockDevice(iommufd, space, NO_DIRTY);
    equal(iommufd.hardwareInfo(device).dirtyTracking, false);
    refused(() => space.pageTable(device, { dirtyTracking: true }), {
      code: "EOPNOTSUPP",
      operation: "IOMMU_HWPT_ALLOC",
      text: "does not track dirty pages",
    });
  });

  it("takes no device whose IOMMU does not track: EINVAL", () => {
    using scene = new Scene();
    using _other = new MockDevice(scene.iommufd, scene.table);
    throws(() => new MockDevice(scene.iommufd, scene.table, NO_DIRTY), Error, "EINVAL");
  });

  it("is known by the capability bit of the device", () => {
    using scene = new Scene();
    const info = scene.iommufd.hardwareInfo(scene.device);
    equal([info.dirtyTracking, info.capabilities], [true, 1n]);
    equal(info.type, 0xfeedbeef, "IOMMU_HW_INFO_TYPE_SELFTEST");
    equal(new Uint32Array(info.data.buffer), Uint32Array.of(0, 0xdeadbeef));
  });
});

describe("HWPT_ALLOC, raw", () => {
  it("refuses unknown flags, devices and address spaces", () => {
    using scene = new Scene();
    const { iommufd, device, space } = scene;
    const good = { dev_id: device.id, pt_id: space.id, flags: 0 };
    equal(allocTable(iommufd, { ...good, flags: 0x100 }), "EOPNOTSUPP");
    equal(allocTable(iommufd, { ...good, dev_id: 0x7777 }), "ENOENT");
    equal(allocTable(iommufd, { ...good, pt_id: 0x7777 }), "EINVAL");
    equal(allocTable(iommufd, { ...good, pt_id: device.id }), "EINVAL");
  });
});

describe("every request of an iommufd", () => {
  const minimum: readonly [string, number, number][] = [
    ["DESTROY", IOMMU_DESTROY, 8],
    ["IOAS_ALLOC", IOMMU_IOAS_ALLOC, 12],
    ["IOAS_ALLOW_IOVAS", IOMMU_IOAS_ALLOW_IOVAS, 24],
    ["IOAS_COPY", IOMMU_IOAS_COPY, 40],
    ["IOAS_IOVA_RANGES", IOMMU_IOAS_IOVA_RANGES, 32],
    ["IOAS_MAP", IOMMU_IOAS_MAP, 40],
    ["IOAS_UNMAP", IOMMU_IOAS_UNMAP, 24],
    ["OPTION", IOMMU_OPTION, 24],
    ["VFIO_IOAS", IOMMU_VFIO_IOAS, 12],
    ["HWPT_ALLOC", IOMMU_HWPT_ALLOC, 24],
    ["GET_HW_INFO", IOMMU_GET_HW_INFO, 32],
    ["HWPT_SET_DIRTY_TRACKING", IOMMU_HWPT_SET_DIRTY_TRACKING, 16],
    ["HWPT_GET_DIRTY_BITMAP", IOMMU_HWPT_GET_DIRTY_BITMAP, 48],
  ];
  for (const [name, number, size] of minimum) {
    it(`${name}: a byte less than ${size} is EINVAL, an unknown tail E2BIG`, () => {
      using iommufd = Iommufd.open();
      equal(ofSize(iommufd, number, size - 1), "EINVAL");
      equal(ofSize(iommufd, number, 128, 1), "E2BIG");
      // A tail of zeroes says nothing: the answer is that to the struct without it.
      equal(ofSize(iommufd, number, 129), ofSize(iommufd, number, 128));
      ok(ofSize(iommufd, number, 128) !== "E2BIG");
    });
  }

  it("a number that this kernel does not have: ENOTTY; no argument: EFAULT", () => {
    using iommufd = Iommufd.open();
    equal(ofSize(iommufd, 0x3b9f, 40), "ENOTTY"); // the last number before the mock IOMMU's own
    equal(iommufd.rawIoctl(IOMMU_IOAS_ALLOC, new Uint8Array()), -14);
  });

  it("an object that is not there: ENOENT", () => {
    using iommufd = Iommufd.open();
    equal(ofSize(iommufd, IOMMU_DESTROY, 8), "ENOENT");
    equal(ofSize(iommufd, IOMMU_IOAS_IOVA_RANGES, 32), "ENOENT");
  });
});
