/** What becomes of page tables and their dirty bits when the kernel itself has no memory. */
import { Iommufd, pinsOf, VfioError } from "../../../mod.ts";
import {
  IOMMU_HWPT_ALLOC,
  IOMMU_HWPT_GET_DIRTY_BITMAP,
  IOMMU_IOAS_ALLOC,
} from "../../../lib/uapi/mod.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { Faults } from "../support/faults.ts";
import { it } from "../support/guard.ts";
import { PAGE } from "../support/machine.ts";
import { refused } from "../support/refused.ts";
import { Scene } from "./drain_cases.ts";
import { APERTURE, makeDirty, MOCK_PAGE, MockDevice, pinnedTimes } from "./mock.ts";
import { destroyObject, getDirty, makeTable, ofSize } from "./raw_hwpt.ts";

const FIRST = APERTURE.start;
const SIZE = 16n * PAGE;

/** What can be refused, without what only the kernel's own injection answers. */
const reasons = (answers: readonly string[]): string[] => [...new Set(answers.slice(0, -1))].sort();

describe("where the kernel has no memory", () => {
  it("GET_DIRTY_BITMAP: ENOMEM, before a bit is taken", () => {
    using faults = new Faults();
    using iommufd = Iommufd.open();
    using first = iommufd.addressSpace();
    using device = new MockDevice(iommufd, first);
    using space = iommufd.addressSpace();
    using memory = iommufd.allocate(SIZE);
    using bitmap = iommufd.allocate(PAGE);
    using _mapping = space.map(memory, { iova: FIRST });
    using table = space.pageTable(device, { dirtyTracking: true });
    table.setDirtyTracking(true);
    bitmap.bytes[0] = 0xff;
    const range = { iova: FIRST, size: SIZE, pageSize: MOCK_PAGE };
    equal(makeDirty(iommufd, table.id, range, bitmap).count, 8n);
    bitmap.bytes.fill(0);
    const seen: number[] = [];
    const answers = faults.answers(() => {
      const answer = getDirty(iommufd, {
        hwpt_id: table.id,
        flags: 0,
        __reserved: 0,
        iova: FIRST,
        length: SIZE,
        page_size: MOCK_PAGE,
        data: bitmap.address,
      });
      seen.push(bitmap.bytes[0]!);
      return answer;
    });
    // ENOENT is how iommufd itself pretends, where it looks for the page table.
    equal(reasons(answers), ["ENOENT", "ENOMEM"]);
    equal(answers.at(-1), "OK");
    equal(seen.map((byte) => byte !== 0), answers.map((one) => one === "OK"), "taken at the end");
  });

  it("a drain: says so, and in the next one every page counts as dirty", () => {
    using faults = new Faults();
    let isOn = false;
    using scene = new Scene(faults.kernel(IOMMU_HWPT_GET_DIRTY_BITMAP, () => isOn), false);
    scene.map(0, 64);
    using tracker = scene.table.trackDirty();
    const windows = (): unknown[] => {
      const found: unknown[] = [];
      for (const { label, count } of tracker.drain()) found.push([label, count]);
      return found;
    };
    scene.touch(3, new Set());
    isOn = true;
    for (const read of [() => [...tracker.drain()], () => [...tracker.peek()]]) {
      refused(read, {
        code: "ENOMEM",
        operation: "IOMMU_HWPT_GET_DIRTY_BITMAP",
        text: "the kernel has no memory for it",
      });
    }
    isOn = false;
    equal(windows(), [["incomplete", 64]]);
    scene.touch(5, new Set());
    equal(windows(), [["written", 1]]);
  });

  it("HWPT_ALLOC: ENOMEM, and nothing of it stays", () => {
    using faults = new Faults();
    using iommufd = Iommufd.open();
    using first = iommufd.addressSpace();
    using device = new MockDevice(iommufd, first);
    using memory = iommufd.allocate(SIZE);
    memory.bytes.fill(1);
    using space = iommufd.addressSpace();
    using _mapping = space.map(memory, { iova: FIRST });
    const before = pinsOf();
    const made: number[] = [];
    const answers = faults.answers(() => {
      const fields = { dev_id: device.id, pt_id: space.id, flags: 2 };
      const { answer, id } = makeTable(iommufd, fields);
      if (answer === "OK") made.push(id);
      return answer;
    });
    ok(answers.includes("ENOMEM"), `${answers}`);
    equal(answers.at(-1), "OK");
    // Where something failed and nothing was lost by it, there is a page table too.
    equal(made.length, answers.filter((answer) => answer === "OK").length);
    for (const id of made) equal(destroyObject(iommufd, id), "OK");
    equal(pinsOf().since(before).pinned, 0n);
    equal(pinnedTimes(iommufd, memory, 0), "OK", "pinned for nothing");
    space[Symbol.dispose](); // nothing uses it
  });

  it("space.pageTable: says so, and the address space is as it was", () => {
    using faults = new Faults();
    let isOn = false;
    using iommufd = Iommufd.open({ kernel: faults.kernel(IOMMU_HWPT_ALLOC, () => isOn) });
    using first = iommufd.addressSpace();
    using device = new MockDevice(iommufd, first);
    using space = iommufd.addressSpace();
    using memory = iommufd.allocate(SIZE);
    using _mapping = space.map(memory, { iova: FIRST });
    isOn = true;
    refused(() => space.pageTable(device, { dirtyTracking: true }), {
      code: "ENOMEM",
      operation: "IOMMU_HWPT_ALLOC",
      text: /RLIMIT_MEMLOCK|not enough memory/,
    });
    isOn = false;
    using table = space.pageTable(device, { dirtyTracking: true });
    equal(table.tracksDirty, true);
  });

  it("IOAS_ALLOC: ENOMEM", () => {
    using faults = new Faults();
    let isOn = false;
    using iommufd = Iommufd.open({ kernel: faults.kernel(IOMMU_IOAS_ALLOC, () => isOn) });
    const answers = faults.answers(() => ofSize(iommufd, IOMMU_IOAS_ALLOC, 12));
    ok(answers.includes("ENOMEM"), `${answers}`);
    isOn = true;
    equal(throws(() => iommufd.addressSpace(), VfioError).code, "ENOMEM");
  });
});
