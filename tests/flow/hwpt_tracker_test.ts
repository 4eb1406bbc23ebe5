/** The tracker of a page table on the model, held to what the mock IOMMU of a real kernel shows. */
import { LAB_SCENES, ModelKernel } from "../../lib/model/mod.ts";
import { Container, DirtyMap, Iommufd, VfioError } from "../../mod.ts";
import { coreOf } from "../../lib/track/tracker.ts";
import type { TrackerCore } from "../../lib/track/tracker_core.ts";
import type { TakenWindow } from "../../lib/track/tracker_types.ts";
import { fakeKernel } from "../unit/iommufd/fake.ts";
import { DRAIN_CASES, Scene } from "../kernel/mock/drain_cases.ts";
import { equal, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

/** How many pages each window has, while it is current. */
function counts(windows: Iterable<{ readonly count: number }>): number[] {
  const found: number[] = [];
  for (const { count } of windows) found.push(count);
  return found;
}

/** Reads everything as a round does that may end early. */
function takeAll(core: TrackerCore): [DirtyMap, TakenWindow[]] {
  const dirty = new DirtyMap(4096n);
  const taken: TakenWindow[] = [];
  for (const window of core.windows(1 << 20, { iova: 0n })) {
    const one = core.taken(window);
    taken.push(one);
    if (one.gone === undefined) dirty.add(window);
  }
  return [dirty, taken];
}

describe("hwpt.trackDirty on the model", () => {
  for (const { name, run } of DRAIN_CASES) {
    it(name, () => {
      const kernel = new ModelKernel(LAB_SCENES.mock);
      run(kernel);
      equal([kernel.openFiles, kernel.openMappings], [0, 0]);
    });
  }

  it("gives back what was delivered of a mapping that is gone, if a round ends early", () => {
    using scene = new Scene(new ModelKernel(LAB_SCENES.mock), false);
    const low = scene.map(0, 64);
    scene.map(64, 64);
    using tracker = scene.table.trackDirty();
    scene.touch(5, new Set());
    scene.touch(70, new Set());
    low[Symbol.dispose]();
    const core = coreOf(tracker);
    const [dirty, taken] = takeAll(core);
    equal([dirty.count, taken.map(({ gone }) => gone !== undefined)], [1, [true, false]]);
    core.takeBack(dirty, taken);
    equal(counts(tracker.drain()), [1, 1]);
    equal([...tracker.drain()].map(({ count }) => count), [0]);
  });

  it("gives nothing of it to the mapping that lies in its place by then", () => {
    using scene = new Scene(new ModelKernel(LAB_SCENES.mock), false);
    const low = scene.map(0, 64);
    using tracker = scene.table.trackDirty();
    const core = coreOf(tracker);
    scene.touch(5, new Set());
    low[Symbol.dispose](); // gone before it is read
    const gone = takeAll(core);
    const again = scene.map(0, 64);
    core.takeBack(...gone);
    equal(counts(tracker.drain()), [1, 0]);
    scene.touch(6, new Set());
    const read = takeAll(core);
    again[Symbol.dispose](); // gone after it was read
    scene.map(0, 64);
    core.takeBack(...read);
    equal(counts(tracker.drain()), [1, 0]);
    equal(counts(tracker.drain()), [0]);
  });

  it("keeps it where onProgress throws", async () => {
    using scene = new Scene(new ModelKernel(LAB_SCENES.mock), false);
    const low = scene.map(0, 64);
    scene.map(64, 64);
    using tracker = scene.table.trackDirty();
    scene.touch(5, new Set());
    low[Symbol.dispose]();
    const broken = new Error("broken");
    const onProgress = (): never => {
      throw broken;
    };
    const first = tracker.drainAsync({ onProgress }).next();
    equal(await first.then(() => undefined, (error: unknown) => error), broken);
    equal(counts(tracker.drain()), [1, 0]);
  });

  it("gives it first on a thread of its own too, and looks at what was read ahead", async () => {
    using scene = new Scene(new ModelKernel(LAB_SCENES.mock), false);
    const low = scene.map(0, 64);
    scene.map(64, 64);
    scene.map(192, 64);
    using tracker = scene.table.trackDirty();
    for (const page of [5, 70, 200]) scene.touch(page, new Set());
    low[Symbol.dispose]();
    const found: number[][] = [];
    for await (const window of tracker.drainAsync({ maxBitmapBytes: 8 })) {
      found.push([window.count]);
      // The next one is read ahead by now: a look has it all the same, and leaves it.
      if (found.length === 2) equal(counts(tracker.peek()), [0, 1]);
      if (found.length === 2) break;
    }
    equal(found, [[1], [1]]);
    equal(counts(tracker.drain()), [0, 1]);
    equal(counts(tracker.drain()), [0, 0]);
  });

  it("unmaps nothing whose bits cannot be looked at, and owes nothing for it", () => {
    const refuse: Record<string, number> = {};
    const kernel = fakeKernel({ refuse }).kernel;
    using iommufd = Iommufd.open({ kernel });
    using memory = iommufd.allocate(8n * 4096n);
    using space = iommufd.addressSpace();
    const mapping = space.map(memory, { iova: 0x10000n });
    using table = space.pageTable({ id: 77 }, { dirtyTracking: true });
    using tracker = table.trackDirty();
    refuse.IOMMU_HWPT_GET_DIRTY_BITMAP = 12;
    throws(() => mapping[Symbol.dispose](), VfioError, "ENOMEM");
    equal(mapping.isMapped, true);
    throws(() => [...tracker.peek()], VfioError, "ENOMEM");
    delete refuse.IOMMU_HWPT_GET_DIRTY_BITMAP;
    equal([...tracker.drain()].map(({ label }) => label), ["written"]);
    refuse.IOMMU_HWPT_GET_DIRTY_BITMAP = 12;
    throws(() => [...tracker.drain()], VfioError, "ENOMEM"); // but this one may have taken bits
    delete refuse.IOMMU_HWPT_GET_DIRTY_BITMAP;
    equal([...tracker.peek()].map(({ label, count }) => [label, count]), [["incomplete", 8]]);
    equal([...tracker.drain()].map(({ label, count }) => [label, count]), [["incomplete", 8]]);
    equal([...tracker.drain()].map(({ label, count }) => [label, count]), [["written", 0]]);
  });

  it("is not to be looked at, where the kernel clears what is read", () => {
    using container = Container.open({ kernel: new ModelKernel() });
    using _group = container.attach("0000:00:10.0");
    using tracker = container.trackDirty();
    equal(tracker.canPeek, false);
    throws(() => tracker.peek(), ReferenceError, "clears what is read of type1");
  });
});
