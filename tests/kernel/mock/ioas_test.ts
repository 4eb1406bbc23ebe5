/** Address spaces on the real kernel: addresses, mappings, copies, options, order of destruction. */
import { Iommufd, rawLinux as linux } from "../../../mod.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { MiB, PAGE } from "../support/machine.ts";
import { refused } from "../support/refused.ts";
import { sinceSeven } from "../support/release.ts";
import { APERTURE, leadsTo, MOCK_PAGE, MockDevice, pinnedTimes, reserve } from "./mock.ts";
import { closesUnderForeign, oddMapping } from "./foreign_case.ts";
import { askTop, TOP_ROWS } from "./top_case.ts";

const FIRST = APERTURE.start;
const LAST64 = (1n << 64n) - 1n;

describe("an address space", () => {
  it("has every address before a device comes, and the device's afterwards", () => {
    using iommufd = Iommufd.open();
    using space = iommufd.addressSpace();
    equal(space.ranges(), { ranges: [{ start: 0n, end: LAST64 }], alignment: 1n });
    using _device = new MockDevice(iommufd, space);
    equal(space.ranges(), { ranges: [{ ...APERTURE }], alignment: MOCK_PAGE });
  });

  it("lists more ranges than there was room for at first", () => {
    using iommufd = Iommufd.open();
    using space = iommufd.addressSpace();
    for (let i = 1n; i <= 40n; i += 1n) equal(reserve(iommufd, space, i * MiB, PAGE), "OK");
    const { ranges } = space.ranges();
    equal(ranges.length, 41);
    equal(ranges[1], { start: MiB + PAGE, end: 2n * MiB - 1n });
  });

  it("maps at a given address: the page table leads to the memory", () => {
    using iommufd = Iommufd.open();
    using space = iommufd.addressSpace();
    using device = new MockDevice(iommufd, space);
    using memory = iommufd.allocate(MiB);
    memory.bytes.fill(1);
    using mapping = space.map(memory, { iova: FIRST + MiB, offset: PAGE, size: 4n * PAGE });
    equal([mapping.iova, mapping.size, mapping.access], [FIRST + MiB, 4n * PAGE, "rw"]);
    const range = { iova: mapping.iova, size: mapping.size, vaddr: memory.address + PAGE };
    equal(leadsTo(iommufd, device.pageTableId, range), "OK");
    const shifted = { ...range, vaddr: memory.address };
    equal(leadsTo(iommufd, device.pageTableId, shifted), "EINVAL");
  });

  it("maps where the kernel chooses: aligned like the memory, in what is allowed", () => {
    using iommufd = Iommufd.open();
    const allow = [{ start: FIRST + 64n * PAGE, end: FIRST + 128n * PAGE - 1n }];
    using space = iommufd.addressSpace({ allow });
    using memory = iommufd.allocate(64n * PAGE);
    const mappings = Array.from(
      { length: 4 },
      (_, i) => space.map(memory, { offset: BigInt(i) * 16n * PAGE, size: 16n * PAGE }),
    );
    for (const { iova } of mappings) {
      ok(iova >= allow[0]!.start && iova + 16n * PAGE - 1n <= allow[0]!.end, `${iova}`);
    }
    equal(new Set(mappings.map(({ iova }) => iova)).size, 4);
    refused(() => space.map(memory, { size: PAGE }), {
      code: "ENOSPC",
      operation: "IOMMU_IOAS_MAP",
      text: "within the ranges that are allowed",
    });
    equal(space.unmapAll(), 64n * PAGE);
    equal(mappings.map(({ isMapped }) => isMapped), [false, false, false, false]);
  });

  it("keeps a device out that reserves allowed addresses, and the other way round", () => {
    using iommufd = Iommufd.open();
    using space = iommufd.addressSpace({ allow: [{ start: 0n, end: FIRST }] });
    throws(() => new MockDevice(iommufd, space), Error, "EADDRINUSE");
    space.allow([]);
    using _device = new MockDevice(iommufd, space);
    refused(() => space.allow([{ start: 0n, end: FIRST }]), {
      code: "EADDRINUSE",
      operation: "IOMMU_IOAS_ALLOW_IOVAS",
      text: "reserves",
    });
  });

  it("refuses what the kernel would, with a sentence, before it is asked", () => {
    using iommufd = Iommufd.open();
    using space = iommufd.addressSpace();
    using _device = new MockDevice(iommufd, space);
    using memory = iommufd.allocate(16n * PAGE);
    using _mapping = space.map(memory, { iova: FIRST });
    const cases: readonly [() => unknown, string][] = [
      [() => space.map(memory, { iova: FIRST + 8n * PAGE }), "overlaps the mapping"],
      [() => space.map(memory, { iova: 0n }), "must lie in one of"],
      [() => space.map(memory, { iova: FIRST + 1n }), "iova must be a multiple of 0x800"],
      [
        () => space.map(memory, { iova: 2n * FIRST, size: 100n }),
        "size must be a multiple of 0x800",
      ],
      [() => space.map(memory, { offset: 17n * PAGE }), "must lie in the 0x10000 bytes"],
      [() => space.unmap({ iova: FIRST, size: PAGE }), "cuts the mapping"],
      [() => space.unmap({ iova: 2n * FIRST, size: PAGE }), "nothing is mapped"],
      [() => space.allow([{ start: 5n, end: 5n }]), "begins below its end"],
      [() => space.allow([{ start: 0n, end: 9n }, { start: 9n, end: 20n }]), "must not overlap"],
    ];
    for (const [body, text] of cases) throws(body, RangeError, text);
  });

  it("unmaps several mappings of a range in one request", () => {
    using iommufd = Iommufd.open();
    using space = iommufd.addressSpace();
    using memory = iommufd.allocate(4n * PAGE);
    const one = space.map(memory, { iova: 0x10000n, size: PAGE });
    const two = space.map(memory, { iova: 0x12000n, size: 2n * PAGE });
    using three = space.map(memory, { iova: 0x20000n });
    equal(space.unmap({ iova: 0xf000n, size: 8n * PAGE }), 3n * PAGE);
    equal([one.isMapped, two.isMapped, three.isMapped], [false, false, true]);
    one[Symbol.dispose](); // a second time does nothing
    equal(space.mappings, [three]);
  });

  it("copies what another one maps: pinned once more, the same memory", () => {
    using iommufd = Iommufd.open();
    using from = iommufd.addressSpace();
    using to = iommufd.addressSpace();
    using _one = new MockDevice(iommufd, from);
    using two = new MockDevice(iommufd, to);
    using memory = iommufd.allocate(8n * PAGE);
    memory.bytes.fill(1);
    using mapping = from.map(memory, { iova: FIRST });
    using copy = to.copy(from, mapping, { iova: FIRST + MiB, offset: 2n * PAGE, size: 4n * PAGE });
    const range = { iova: copy.iova, size: copy.size, vaddr: memory.address + 2n * PAGE };
    equal(leadsTo(iommufd, two.pageTableId, range), "OK");
    equal(pinnedTimes(iommufd, memory, 1), "OK", "pages are shared, and pinned once");
    mapping[Symbol.dispose]();
    equal(leadsTo(iommufd, two.pageTableId, range), "OK", "the copy stands by itself");
    throws(() => to.copy(from, mapping), ReferenceError, "gone already");
  });

  it("does not copy with more rights than were mapped", () => {
    using iommufd = Iommufd.open();
    using space = iommufd.addressSpace();
    using memory = iommufd.allocate(PAGE);
    using mapping = space.map(memory, { iova: FIRST, access: "r" });
    using copy = space.copy(space, mapping);
    equal(copy.access, "r");
    refused(() => space.copy(space, mapping, { access: "rw" }), {
      code: "EPERM",
      operation: "IOMMU_IOAS_COPY",
      text: "copy it with access r",
    });
  });

  it("maps files of memory since v6.13, and says so before", () => {
    using iommufd = Iommufd.open();
    using space = iommufd.addressSpace();
    using memory = iommufd.allocate(4n * PAGE, { backing: "memfd" });
    if (sinceSeven()) {
      using device = new MockDevice(iommufd, space);
      memory.bytes.fill(1);
      using mapping = space.mapFile(memory.fd!, { iova: FIRST, offset: PAGE, size: 2n * PAGE });
      const range = { iova: FIRST, size: mapping.size, vaddr: memory.address + PAGE };
      equal(leadsTo(iommufd, device.pageTableId, range), "OK");
      refused(() => space.mapFile(memory.fd!, { offset: 64n * PAGE, size: PAGE }), {
        code: "EINVAL",
        operation: "IOMMU_IOAS_MAP_FILE",
        text: "the file is no memfd, or the range is not in it",
      });
      return;
    }
    refused(() => space.mapFile(memory.fd!, { size: PAGE }), {
      code: "ENOTTY",
      operation: "IOMMU_IOAS_MAP_FILE",
      text: "before v6.13",
    });
  });

  it("finds memory that ends at 2^64 before memory that is not there", () => {
    equal(askTop(linux), TOP_ROWS.map(([, , wanted]) => wanted));
  });

  it("pins nothing before a page table is there", () => {
    using iommufd = Iommufd.open();
    using space = iommufd.addressSpace();
    using memory = iommufd.allocate(4n * PAGE);
    memory.bytes.fill(1);
    using _mapping = space.map(memory, { iova: FIRST });
    equal(pinnedTimes(iommufd, memory, 0), "OK");
    using _device = new MockDevice(iommufd, space);
    equal(pinnedTimes(iommufd, memory, 1), "OK");
    equal(pinnedTimes(iommufd, memory, 0), "EIO");
  });
});

describe("options", () => {
  it("choose the account before the first object", () => {
    using iommufd = Iommufd.open();
    equal(iommufd.account, "user");
    iommufd.account = "process";
    equal(iommufd.account, "process");
    using _space = iommufd.addressSpace();
    refused(() => void (iommufd.account = "user"), {
      code: "EBUSY",
      operation: "IOMMU_OPTION",
      text: "before the first object",
    });
  });

  it("switch huge pages off, unless page tables and mappings are there", () => {
    using iommufd = Iommufd.open();
    using space = iommufd.addressSpace({ hugePages: false });
    equal(space.hugePages, false);
    space.hugePages = true;
    using _device = new MockDevice(iommufd, space);
    using memory = iommufd.allocate(PAGE);
    using _mapping = space.map(memory, { iova: FIRST });
    refused(() => void (space.hugePages = false), {
      code: "EINVAL",
      operation: "IOMMU_OPTION",
      text: "before the first device",
    });
    equal(space.hugePages, true);
  });

  it("keep huge pages on where a mapping is less than a page, and say so", () => oddMapping(linux));
});

describe("destruction", () => {
  it("is refused while something else uses the object, and goes on afterwards", () => {
    using iommufd = Iommufd.open();
    using space = iommufd.addressSpace();
    {
      using _device = new MockDevice(iommufd, space);
      refused(() => space[Symbol.dispose](), {
        code: "EBUSY",
        operation: "IOMMU_DESTROY",
        text: "another object uses it",
      });
    }
    space[Symbol.dispose]();
    throws(() => space.ranges(), ReferenceError, "it is gone");
  });

  it("takes page tables and mappings with the address space", () => {
    using iommufd = Iommufd.open();
    using other = iommufd.addressSpace();
    using device = new MockDevice(iommufd, other);
    using memory = iommufd.allocate(PAGE);
    const space = iommufd.addressSpace();
    const mapping = space.map(memory, { iova: FIRST });
    const table = space.pageTable(device);
    space[Symbol.dispose]();
    equal([mapping.isMapped, memory.isMapped], [false, false]);
    throws(() => table.setDirtyTracking(true), ReferenceError, "it is gone");
  });

  it("lets go of memory, also where something that it did not make was in the way", () => {
    closesUnderForeign(linux);
  });

  it("goes with the iommufd, whatever was forgotten", () => {
    const iommufd = Iommufd.open();
    const space = iommufd.addressSpace();
    using memory = iommufd.allocate(PAGE);
    const mapping = space.map(memory);
    iommufd[Symbol.dispose]();
    iommufd[Symbol.dispose]();
    equal([mapping.isMapped, memory.isMapped], [false, false]);
    throws(() => space.map(memory), ReferenceError, "it is gone");
  });
});
