import { type HostMemory, type Ioas, Iommufd, PartialUnmapError, VfioError } from "../../../mod.ts";
import { equal, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { type Fake, fakeKernel, type FakeOptions } from "./fake.ts";

const PAGE = 4096n;

function scene(
  body: (space: Ioas, memory: HostMemory, iommufd: Iommufd, fake: Fake) => void,
  options?: FakeOptions,
): void {
  const fake = fakeKernel(options);
  using iommufd = Iommufd.open({ kernel: fake.kernel });
  using memory = iommufd.allocate(16n * PAGE);
  using space = iommufd.addressSpace();
  body(space, memory, iommufd, fake);
}

describe("ioas.map", () => {
  it("holds the memory until the mapping goes", () => {
    scene((space, memory) => {
      const mapping = space.map(memory, { access: "r" });
      equal([mapping.memory, mapping.access, memory.isMapped], [memory, "r", true]);
      throws(() => memory.free(), ReferenceError, "still mapped for a device");
      mapping[Symbol.dispose]();
      mapping[Symbol.dispose]();
      equal([mapping.isMapped, memory.isMapped, space.mappings], [false, false, []]);
    });
  });

  it("holds nothing when it is refused", () => {
    scene((space, memory) => {
      throws(() => space.map(memory), VfioError, "another mapping is in the range");
      equal([space.mappings, memory.isMapped], [[], false]);
    }, { refuse: { IOMMU_IOAS_MAP: 17 } });
  });

  it("refuses what is no memory, and options that it does not know", () => {
    scene((space, memory) => {
      throws(() => space.map(memory.bytes as unknown as HostMemory), TypeError, "Uint8Array");
      throws(() => space.map(memory, { pieceSize: 1n } as never), TypeError, "Unknown option");
      throws(() => space.map(memory, { iova: 5 as never }), TypeError, "iova must be a bigint");
      throws(() => space.mapFile("3" as never, { size: PAGE }), TypeError, "fd must be a number");
      throws(() => space.mapFile(3, {} as never), TypeError, "size must be a bigint");
      throws(() => space.copy(space, memory as never), TypeError, "must be a mapping");
    });
  });

  it("refuses addresses that do not fit, with the wanted and the given", () => {
    scene((space, memory) => {
      using _mapping = space.map(memory, { iova: 0x1000n, size: PAGE });
      const cases: readonly [bigint, string][] = [
        [0x1000n, "overlaps the mapping 0x1000..0x1fff"],
        [0x2001n, "iova must be a multiple of 0x1000; got 0x2001"],
        [0x9000n, "0x9000..0x9fff must lie in one of 0x0..0x8fff, 0xa000..0xffff"],
        [-1n, "iova must be 0 or more"],
        [(1n << 64n) - PAGE, "must lie in one of"],
      ];
      for (const [iova, text] of cases) {
        throws(() => space.map(memory, { iova, size: PAGE }), RangeError, text);
      }
      throws(() => space.map(memory, { size: 0n }), RangeError, "must lie in the 0x10000 bytes");
      throws(
        () => space.map(memory, { size: 5n }),
        RangeError,
        "size must be a multiple of 0x1000; got 0x5",
      );
    }, { ranges: [[0n, 0x8fffn], [0xa000n, 0xffffn]] });
  });

  it("asks again where there are more ranges than it had room for", () => {
    const ranges = Array.from({ length: 20 }, (_, i): [bigint, bigint] => {
      const start = BigInt(i) * 0x10000n;
      return [start, start + 0xffffn];
    });
    scene((space, _memory, _iommufd, { asked }) => {
      asked.length = 0;
      equal(space.ranges().ranges.length, 20);
      equal(asked, ["IOMMU_IOAS_IOVA_RANGES", "IOMMU_IOAS_IOVA_RANGES"]);
    }, { ranges });
  });

  it("copies a part, and holds the memory for it", () => {
    scene((space, memory, iommufd, { last }) => {
      using from = iommufd.addressSpace();
      const source = from.map(memory, { iova: 0x4000n, access: "r" });
      const copy = space.copy(from, source, { iova: 0x80000n, offset: PAGE, size: PAGE });
      equal([copy.iova, copy.size, copy.access, copy.memory], [0x80000n, PAGE, "r", memory]);
      const view = new DataView(last.get("IOMMU_IOAS_COPY")!.buffer);
      equal([view.getUint32(4, true), view.getBigUint64(32, true)], [5, 0x5000n]);
      source[Symbol.dispose]();
      equal(memory.isMapped, true);
      throws(() => space.copy(from, source), ReferenceError, "gone already");
      copy[Symbol.dispose]();
      equal(memory.isMapped, false);
    });
  });

  it("maps memory of a file, and copies that", () => {
    scene((space) => {
      const mapping = space.mapFile(7, { iova: 0x4000n, offset: PAGE, size: PAGE });
      const copy = space.copy(space, mapping);
      equal([mapping.memory, copy.memory, copy.size], [undefined, undefined, PAGE]);
    });
  });
});

describe("ioas.unmap", () => {
  it("compares what the kernel removed", () => {
    scene((space, memory) => {
      const mapping = space.map(memory);
      throws(() => mapping[Symbol.dispose](), PartialUnmapError, "0xf000 bytes of 0x10000");
      throws(() => space.unmapAll(), PartialUnmapError);
    }, { missing: PAGE });
  });

  it("refuses ranges that cut or miss, and takes several mappings", () => {
    scene((space, memory) => {
      space.map(memory, { iova: 0x2000n, size: 2n * PAGE });
      space.map(memory, { iova: 0x8000n, size: PAGE });
      const cut = { iova: 0x3000n, size: PAGE };
      throws(() => space.unmap(cut), RangeError, "cuts the mapping 0x2000..0x3fff");
      throws(() => space.unmap({ iova: 0n, size: PAGE }), RangeError, "nothing is mapped");
      throws(() => space.unmap({ iova: 0n, size: 0n }), RangeError, "the size must be more than 0");
      equal(space.unmap({ iova: 0n, size: 16n * PAGE }), 3n * PAGE);
      equal([space.unmapAll(), memory.isMapped], [0n, false]);
    });
  });

  it("says why the kernel refuses", () => {
    for (
      const [errno, text] of [[2, "cuts a mapping"], [16, "somebody else"], [5, "EIO"]] as const
    ) {
      scene((space, memory) => {
        space.map(memory);
        throws(() => space.unmapAll(), VfioError, text);
      }, { refuse: { IOMMU_IOAS_UNMAP: errno } });
    }
  });

  it("leaves an address space that cannot be destroyed as it is", () => {
    const { kernel } = fakeKernel({ refuse: { IOMMU_DESTROY: 16 } });
    const iommufd = Iommufd.open({ kernel });
    const space = iommufd.addressSpace();
    throws(() => space[Symbol.dispose](), VfioError, "another object uses it");
    equal(space.ranges().alignment, 4096n);
    throws(() => iommufd[Symbol.dispose](), VfioError, "another object uses it");
    throws(() => iommufd.fd, ReferenceError, "closed");
  });

  it("sets allowed ranges and huge pages", () => {
    scene((space, _memory, iommufd, { last }) => {
      using other = iommufd.addressSpace({ hugePages: false, allow: [{ start: 1n, end: 9n }] });
      equal([other.hugePages, space.hugePages], [false, false], "the fake has one for all");
      equal(new DataView(last.get("IOMMU_IOAS_ALLOW_IOVAS")!.buffer).getUint32(8, true), 1);
      throws(() => space.allow([{ start: 9n, end: 9n }]), RangeError, "begins below its end");
      const twice = [{ start: 5n, end: 20n }, { start: 0n, end: 5n }];
      throws(() => space.allow(twice), RangeError, "must not overlap; 0x5");
      throws(() => void (space.hugePages = 1 as never), TypeError, "hugePages must be true");
    });
  });
});
