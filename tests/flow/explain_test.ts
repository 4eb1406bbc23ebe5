/** `container.explain`: every rule that a request breaks, in the kernel's order. */
import { Container, type ContainerRequest } from "../../mod.ts";
import { ModelKernel, type Scene } from "../../lib/model/mod.ts";
import { ruleNamed, RULES } from "../../lib/rules/table.ts";
import { equal, match, ok, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const PAGE = 4096n;
const READ_WRITE = 3;

function withContainer(
  body: (container: Container) => void,
  scene: Partial<Scene> = {},
  device = "0000:00:10.0",
): void {
  using container = Container.open({ kernel: new ModelKernel(scene) });
  using _group = container.attach(device);
  using memory = container.allocate(16n * PAGE);
  using _mapping = container.map(memory, { iova: 0x10000n });
  body(container);
}

const rules = (container: Container, request: ContainerRequest): string[] =>
  container.explain(request).refusals.map(({ rule }) => rule);

const map = (more: Partial<ContainerRequest> = {}): ContainerRequest => ({
  request: "VFIO_IOMMU_MAP_DMA",
  flags: READ_WRITE,
  iova: 0x100000n,
  size: PAGE,
  vaddr: 0x7000_0000n,
  ...more as object,
});

describe("container.explain", () => {
  it("finds nothing wrong with a good request, and says what only the kernel can tell", () => {
    withContainer((container) => {
      const { refusals, undecided } = container.explain(map());
      equal(refusals, []);
      equal(undecided.map(({ name }) => name), ["map.pin"]);
    });
  });

  it("lists all rules that a MAP breaks, in order, with numbers and the kernel's function", () => {
    withContainer((container) => {
      const request = map({ flags: 0, iova: 0x10001n, size: 0x10fffn });
      equal(rules(container, request), ["map.rights", "map.align", "map.overlap"]);
      const overlap = container.explain(request).refusals.at(-1);
      equal(overlap?.reason, "0x10001..0x20fff overlaps the mapping 0x10000..0x1ffff");
      equal([overlap?.source, overlap?.errno], ["vfio_dma_do_map", 17]);
    });
  });

  it("counts the memory limit, and asks the kernel nothing", () => {
    const scene = { memlock: 17n * PAGE, ipcLock: false };
    withContainer((container) => {
      equal(rules(container, map()), []);
      const explained = container.explain(map({ size: 2n * PAGE }));
      match(explained.refusals[0]!.reason, /VmLck 64 KiB \+ 8 KiB is above RLIMIT_MEMLOCK 68 KiB/);
      equal(container.mappings.length, 1);
    }, scene);
  });

  it("says which mapping an UNMAP cuts, and that dirty tracking is off", () => {
    withContainer((container) => {
      const unmap = { request: "VFIO_IOMMU_UNMAP_DMA", iova: 0x10000n, size: 0x3000n } as const;
      const { refusals } = container.explain({ ...unmap, flags: 0 });
      equal(refusals.map(({ reason }) => reason), [
        "0x10000..0x12fff cuts the mapping 0x10000..0x1ffff",
      ]);
      equal(container.explain({ ...unmap, flags: 0 }).undecided, []);
      const get = { request: "VFIO_IOMMU_DIRTY_PAGES", flags: 4, iova: 0x10000n } as const;
      const bitmap = { pageSize: 0x2000n, size: 7n };
      equal(rules(container, { ...get, size: 0x10000n, bitmap }), [
        "dirty.bitmap-size",
        "dirty.page-size",
        "dirty.started",
      ]);
      equal(rules(container, { request: get.request, flags: 1 }), []);
      using _tracker = container.trackDirty();
      const asked = container.explain({ ...get, size: 0x10000n, bitmap });
      equal(asked.undecided.map(({ name }) => name), ["dirty.copy"]);
      equal(rules(container, { ...get, size: 0x10000n, bitmap: { pageSize: PAGE, size: 8n } }), []);
    });
  });

  it("names a field that is missing, not known, or of the wrong kind", () => {
    withContainer((container) => {
      const bad: [object, RegExp][] = [
        [{ iova: 4096 }, /iova must be a bigint, as 0x1000n; got the number 4096/],
        [{ flags: undefined }, /flags must be a number, as 4096; got undefined/],
        [{ iowa: 0n }, /Unknown option "iowa"; did you mean "iova"\?/],
        [{ request: "VFIO_IOMMU_MAP_DM" }, /request must be "VFIO_IOMMU_MAP_DMA", /],
        [{ bitmap: { size: 8n } }, /bitmap.pageSize must be a bigint/],
      ];
      for (const [more, text] of bad) {
        throws(() => container.explain(map(more as Partial<ContainerRequest>)), TypeError, text);
      }
    });
  });

  it("needs a group", () => {
    using container = Container.open({ kernel: new ModelKernel() });
    throws(() => container.explain(map()), ReferenceError);
  });
});

describe("the table of rules", () => {
  it("has a source and a text for each, and finds them by name", () => {
    for (const rule of Object.values(RULES).flat()) {
      match(rule.name, /^[a-z-]+\.[a-z0-9-]+$/);
      match(
        rule.source,
        /^(vfio|iommu|iommufd|iopt|access|verify|update|vaddr|do|pfn|copy|domain)_\w+$/,
      );
      ok(rule.about.length > 10, rule.name);
      equal(ruleNamed(rule.name)?.name, rule.name);
    }
    equal(ruleNamed("map.nothing"), undefined);
  });
});
