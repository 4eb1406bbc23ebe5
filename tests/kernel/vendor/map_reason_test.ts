/** Why the kernel refuses what looked right: somebody else uses the container too. */
import type { Container } from "../../../mod.ts";
import { equal, match } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it, openFiles } from "../support/guard.ts";
import { must, openGroup, setContainer } from "../support/raw.ts";
import { refused } from "../support/refused.ts";
import { rawMap, rawTracking, rawUnmap } from "./raw_ioctl.ts";
import { at, pages, Scene, VFIO_PCI } from "./scene.ts";

/** The file of the only container that is open. */
function containerFile(): number {
  const [found, ...more] = [...openFiles()].filter(([, target]) => target === "/dev/vfio/vfio");
  if (found === undefined || more.length > 0) throw new Error("one container should be open");
  return Number(found[0]);
}

const limitOf = (container: Container, size: bigint): readonly string[] =>
  container.forecast([{ iova: 1n << 44n, size }]).tracking;

describe("a mapping that the library does not know of", () => {
  it("is in the way: EEXIST, and the message says whose it may be", () => {
    using scene = new Scene();
    const { container, memory } = scene;
    const range = { iova: at(128), size: pages(8) };
    equal(rawMap(container, { ...range, vaddr: memory.address }), "OK");
    refused(() => container.map(memory, { iova: at(120) }), {
      code: "EEXIST",
      operation: "VFIO_IOMMU_MAP_DMA",
      text: "failed with EEXIST (17): the range overlaps a mapping that another user of the " +
        "container made",
    });
    equal(rawUnmap(container, range), { answer: "OK", size: pages(8) });
  });
});

describe("a group that the library does not know of", () => {
  it("has ranges of its own: EINVAL, and the message says so", () => {
    using scene = new Scene();
    const { container, memory } = scene;
    using group = openGroup(VFIO_PCI);
    must(setContainer(group.fd, containerFile()), "SET_CONTAINER");
    refused(() => container.map(memory, { iova: 0xfee0_0000n }), {
      code: "EINVAL",
      operation: "VFIO_IOMMU_MAP_DMA",
      text: "another user of the container changed its groups",
    });
  });
});

describe("a mapping of more than 2^31 - 1 pages", () => {
  it("is made without an IOMMU, and START refuses it, as the forecast says", () => {
    using scene = new Scene();
    const { container, memory } = scene;
    const most = (1n << 31n) - 1n;
    equal(limitOf(container, most * pages(1)), []);
    const size = (most + 1n) * pages(1);
    match(
      limitOf(container, size).join(),
      /cannot be tracked: START takes at most 2147483647 pages/,
    );
    // Its memory is never looked at: nothing is pinned.
    equal(rawMap(container, { iova: 1n << 44n, size, vaddr: memory.address }), "OK");
    equal(rawTracking(container, 1), "EINVAL");
    equal(rawUnmap(container, { iova: 1n << 44n, size }), { answer: "OK", size });
    equal(rawTracking(container, 1), "OK");
    equal(rawTracking(container, 2), "OK");
  });
});
