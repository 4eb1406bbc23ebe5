/** The ABI that never shipped, on a kernel that shipped: its number means something else there. */

import { Container, readDirtyV9, VfioError } from "../../../mod.ts";
import { equal, throws } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { EDU, LOW, PAGE } from "../support/machine.ts";

describe("the ABI of the v9 series on a real kernel", () => {
  it("is not asked for, and if it is forced, is refused and changes nothing", () => {
    using container = Container.open();
    using _group = container.attach(EDU);
    using memory = container.allocate(20n * PAGE);
    using _mapping = container.map(memory, { iova: LOW });
    const request = { iova: LOW, size: memory.size };
    const all = (): number[] => [...tracker.runs()].map(({ pages }) => pages);

    using tracker = container.trackDirty();
    const error = throws(() => readDirtyV9(container, request), VfioError);
    equal(error.code, "EOPNOTSUPP");
    equal(all(), [20]);

    const forced = throws(() => readDirtyV9(container, { ...request, force: true }), VfioError);
    equal([forced.code, forced.operation], ["EINVAL", "VFIO_IOMMU_GET_DIRTY_BITMAP"]);
    equal(all(), [20], "the tracking that was on still is");
    tracker[Symbol.dispose]();
    throws(() => readDirtyV9(container, { ...request, force: true }), VfioError, "EINVAL (22)");
  });
});
