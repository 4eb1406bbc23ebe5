/** lib/iommufd on the model: what the kernel tests in tests/kernel/own and mock saw, and its content. */
import { Container, type HostMemory, type Hwpt, Iommufd, pinsOf } from "../../mod.ts";
import { LAB_SCENES, ModelKernel, type Scene } from "../../lib/model/mod.ts";
import { closesUnderForeign, oddMapping } from "../kernel/mock/foreign_case.ts";
import { largeBitmap } from "../kernel/mock/large_case.ts";
import { askTop, TOP_ROWS } from "../kernel/mock/top_case.ts";
import { edu } from "../support/edu.ts";
import { equal, ok, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const PAGE = 4096n;
const MiB = 1n << 20n;
const EDU = "0000:00:10.0";
const AT = 0x1000_0000n;

/** The default scene, whose device does nothing by itself. */
function quiet(more: Partial<Scene> = {}): ModelKernel {
  return new ModelKernel({ devices: [edu(EDU, 3), edu("0000:00:11.0", 4)], ...more });
}

/** Reads bits into host memory and gives the dirty pages by their number in the range. */
function dirtyPages(
  table: Hwpt,
  bitmap: HostMemory,
  range: { iova: bigint; size: bigint },
  options: { clear?: boolean } = {},
): number[] {
  bitmap.bytes.fill(0);
  const size = Number(range.size / PAGE / 8n + 1n);
  table.readDirty(range, { address: bitmap.address, size }, options);
  const found: number[] = [];
  for (let i = 0; i < size * 8; i += 1) {
    if ((bitmap.bytes[i >> 3]! >> (i & 7) & 1) === 1) found.push(i);
  }
  return found;
}

describe("iommufd on the model", () => {
  it("binds, attaches, maps, and releases all in the right order", () => {
    const kernel = quiet();
    {
      using iommufd = Iommufd.open({ kernel });
      using device = iommufd.bind(EDU);
      const info = iommufd.hardwareInfo(device);
      equal([info.type, info.dirtyTracking, info.data.length], ["intel-vtd", true, 24]);
      using space = iommufd.addressSpace();
      equal(space.ranges(), { ranges: [{ start: 0n, end: (1n << 64n) - 1n }], alignment: 1n });
      using memory = iommufd.allocate(MiB);
      using mapping = space.map(memory);
      using attachment = device.attach(space);
      ok(attachment.pageTableId !== space.id);
      equal(space.ranges().ranges, [
        { start: 0n, end: 0xfedf_ffffn },
        { start: 0xfef0_0000n, end: 0xffff_ffff_ffffn },
      ]);
      equal(kernel.dma(EDU).write(mapping.iova + 5n, Uint8Array.of(1, 2, 3)), 0);
      equal([...memory.bytes.subarray(4, 9)], [0, 1, 2, 3, 0]);
      equal(kernel.dma(EDU).write(mapping.iova + MiB - 1n, Uint8Array.of(1, 2)), -14);
      equal(memory.bytes[Number(MiB) - 1], 0, "a fault transfers nothing");
    }
    equal([kernel.openFiles, kernel.openMappings], [0, 0]);
  });

  it("tells what the device wrote, once, or as often as it is only looked at", () => {
    const kernel = quiet();
    using iommufd = Iommufd.open({ kernel });
    using device = iommufd.bind(EDU);
    using space = iommufd.addressSpace();
    using memory = iommufd.allocate(MiB);
    using bitmap = iommufd.allocate(4n * PAGE);
    using _mapping = space.map(memory, { iova: AT });
    using table = space.pageTable(device, { dirtyTracking: true });
    using _attachment = device.attach(table);
    const range = { iova: AT, size: MiB };
    const dma = kernel.dma(EDU);
    dma.write(AT, Uint8Array.of(1));
    table.setDirtyTracking(true);
    equal(dirtyPages(table, bitmap, range), [], "what was written before is not told");
    dma.write(AT + 3n * PAGE - 1n, Uint8Array.of(1, 2));
    dma.read(AT + 9n * PAGE, new Uint8Array(8));
    equal(dirtyPages(table, bitmap, range, { clear: false }), [2, 3]);
    const part = { iova: AT + 3n * PAGE, size: PAGE };
    equal(dirtyPages(table, bitmap, part), [0], "a part of a mapping");
    equal(dirtyPages(table, bitmap, range), [2], "the rest");
    equal(dirtyPages(table, bitmap, range), []);
    throws(
      () => dirtyPages(table, bitmap, { ...range, size: 2n * MiB }),
      RangeError,
      "nothing is at iova 0x10100000",
    );
  });

  it("has entries of 2 MiB: a read inside of one takes it all, and sets bits behind", () => {
    const kernel = quiet();
    using iommufd = Iommufd.open({ kernel });
    using device = iommufd.bind(EDU);
    using space = iommufd.addressSpace();
    using memory = iommufd.allocate(4n * MiB, { hugePageSize: 2n * MiB });
    using bitmap = iommufd.allocate(4n * PAGE);
    using _mapping = space.map(memory, { iova: AT });
    using table = space.pageTable(device, { dirtyTracking: true });
    using _attachment = device.attach(table);
    table.setDirtyTracking(true);
    kernel.dma(EDU).write(AT + 7n * PAGE, Uint8Array.of(1));
    equal(dirtyPages(table, bitmap, { iova: AT, size: 4n * MiB }).length, 512, "one entry");
    kernel.dma(EDU).write(AT + 7n * PAGE, Uint8Array.of(1));
    bitmap.bytes.fill(0);
    table.readDirty({ iova: AT, size: PAGE }, { address: bitmap.address, size: 1 });
    const bits = bitmap.bytes.reduce((sum, byte) => sum + (byte === 0xff ? 8 : byte), 0);
    equal(bits, 512, "511 of them behind the bitmap");
    equal(dirtyPages(table, bitmap, { iova: AT, size: 4n * MiB }), []);
    // From the middle on the walk goes by whole entries, and what it sets begins where it is.
    kernel.dma(EDU).write(AT + 7n * PAGE, Uint8Array.of(1));
    const late = dirtyPages(table, bitmap, { iova: AT + MiB, size: MiB });
    equal([late[0], late.length], [0, 264], "256 asked for, and what else the buffer's end shows");
    equal(dirtyPages(table, bitmap, { iova: AT, size: 4n * MiB }), [], "and all of it is taken");
  });

  it("has small entries where huge pages are switched off", () => {
    const kernel = quiet();
    using iommufd = Iommufd.open({ kernel });
    using device = iommufd.bind(EDU);
    using space = iommufd.addressSpace({ hugePages: false });
    using memory = iommufd.allocate(2n * MiB, { hugePageSize: 2n * MiB });
    using bitmap = iommufd.allocate(4n * PAGE);
    using _mapping = space.map(memory, { iova: AT });
    using table = space.pageTable(device, { dirtyTracking: true });
    using _attachment = device.attach(table);
    table.setDirtyTracking(true);
    kernel.dma(EDU).write(AT + 7n * PAGE, Uint8Array.of(1));
    equal(dirtyPages(table, bitmap, { iova: AT, size: 2n * MiB }), [7]);
  });

  it("lets the device of the default scene work, a round each time that the script has waited", async () => {
    const kernel = new ModelKernel();
    using iommufd = Iommufd.open({ kernel });
    using device = iommufd.bind(EDU);
    using space = iommufd.addressSpace();
    using memory = iommufd.allocate(MiB);
    using bitmap = iommufd.allocate(4n * PAGE);
    using _mapping = space.map(memory, { iova: AT });
    using table = space.pageTable(device, { dirtyTracking: true });
    using _attachment = device.attach(table);
    table.setDirtyTracking(true);
    const range = { iova: AT, size: MiB };
    equal(dirtyPages(table, bitmap, range), [0, 1, 32, 33]);
    equal(dirtyPages(table, bitmap, range), []);
    await Promise.resolve();
    equal(dirtyPages(table, bitmap, range), [2, 3, 35, 36]);
  });

  it("is used by the group or by the node, not both", () => {
    const kernel = quiet();
    using iommufd = Iommufd.open({ kernel });
    {
      using container = Container.open({ kernel });
      using _group = container.attach(EDU);
      throws(() => iommufd.bind(EDU), Error, "its group or by itself");
    }
    using device = iommufd.bind(EDU);
    using container = Container.open({ kernel });
    throws(() => container.attach(EDU), Error, "EBUSY");
    throws(() => iommufd.bind(EDU), Error, "bound already");
    using other = Iommufd.open({ kernel });
    throws(() => other.bind(EDU), Error, "bound already");
    equal(device.attachment, undefined);
  });

  it("is refused where interrupts are not remapped, and where there is no iommufd", () => {
    using iommufd = Iommufd.open({ kernel: quiet({ interruptRemapping: false }) });
    throws(() => iommufd.bind(EDU), Error, "allow_unsafe_interrupts");
    throws(() => Iommufd.open({ kernel: quiet({ iommufd: undefined }) }), Error, "CONFIG_IOMMUFD");
    const plain = quiet({ iommufd: { dirtyTracking: false } });
    using fd = Iommufd.open({ kernel: plain });
    using device = fd.bind(EDU);
    using space = fd.addressSpace();
    throws(() => space.pageTable(device, { dirtyTracking: true }), Error, "does not track");
    using table = space.pageTable(device);
    throws(() => table.setDirtyTracking(true), Error, "made with dirtyTracking");
  });
});

describe("a bitmap of more than 2 MiB", () => {
  it("is filled at any byte", () => largeBitmap(new ModelKernel(LAB_SCENES.mock)));
});

describe("the use of huge pages", () => {
  it("stays on where a mapping is less than a page, and says so", () => {
    oddMapping(new ModelKernel(LAB_SCENES.mock));
  });
});

describe("an iommufd that closes", () => {
  it("lets go of all memory, also where something that it did not make was in the way", () => {
    const kernel = new ModelKernel(LAB_SCENES.mock);
    closesUnderForeign(kernel);
    equal([kernel.openFiles, kernel.openMappings], [0, 0]);
  });
});

describe("the accounts of iommufd on the model", () => {
  for (const account of ["user", "process"] as const) {
    it(`${account}: charged at the page table, not at the map; shared by copies`, () => {
      const kernel = quiet({ ipcLock: false, memlock: 64n * PAGE });
      using iommufd = Iommufd.open({ kernel });
      iommufd.account = account;
      using device = iommufd.bind(EDU);
      using space = iommufd.addressSpace();
      using memory = iommufd.allocate(65n * PAGE);
      const seen = (): [bigint, bigint] => {
        const { locked, pinned } = pinsOf("self", kernel);
        return [locked / PAGE, pinned / PAGE];
      };
      const both = (pages: bigint): [bigint, bigint] => [account === "user" ? 0n : pages, pages];
      using mapping = space.map(memory, { iova: AT, size: 8n * PAGE });
      equal(seen(), both(0n));
      using _table = space.pageTable(device);
      equal(seen(), both(8n));
      {
        using _twice = space.map(memory, { size: 8n * PAGE });
        equal(seen(), both(16n));
      }
      using copy = space.copy(space, mapping, { offset: PAGE, size: 4n * PAGE });
      equal(seen(), both(8n));
      throws(() => space.map(memory, { size: 57n * PAGE }), Error, "ENOMEM");
      equal(seen(), both(8n));
      {
        using _rest = space.map(memory, { size: 56n * PAGE });
        equal(seen(), both(64n));
      }
      mapping[Symbol.dispose]();
      equal(seen(), both(4n), "what the copy has stays");
      copy[Symbol.dispose]();
      equal(seen(), both(0n));
    });
  }

  it("nobody's with CAP_IPC_LOCK, which is asked for at the map", () => {
    const kernel = quiet({ memlock: PAGE });
    using iommufd = Iommufd.open({ kernel });
    iommufd.account = "process";
    using device = iommufd.bind(EDU);
    using space = iommufd.addressSpace();
    using memory = iommufd.allocate(8n * PAGE);
    using _mapping = space.map(memory);
    kernel.ipcLock = false;
    using _attachment = device.attach(space);
    const { locked, pinned } = pinsOf("self", kernel);
    equal([locked, pinned], [0n, 8n * PAGE]);
    throws(() => space.map(memory), Error, "ENOMEM");
  });
});

describe("memory of a mapping, on the model", () => {
  it("is found to end at 2^64 before it is found missing, as tests/kernel/mock saw it", () => {
    const kernel = new ModelKernel(LAB_SCENES.mock);
    equal(askTop(kernel), TOP_ROWS.map(([, , wanted]) => wanted));
    equal(kernel.openFiles, 0);
  });
});
