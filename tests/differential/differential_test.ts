/** The differential test itself: on two models of which one is wrong, it must find out, and shrink. */
import { ERRNO } from "../../lib/base/errno.ts";
import { LAB_SCENES, ModelKernel } from "../../lib/model/mod.ts";
import type { Kernel } from "../../lib/sys/kernel.ts";
import {
  IOMMU_HWPT_GET_DIRTY_BITMAP,
  VFIO_IOMMU_UNMAP_DMA,
  VFIO_SET_IOMMU,
} from "../../lib/uapi/mod.ts";
import { equal, ok, throws } from "../std/assert.ts";
import { describe, it, skip } from "../std/testing.ts";
import { compare, shorten, writeTrace } from "./compare.ts";
import { loadFastCheck } from "./fast_check.ts";
import { MOCK, PLAIN } from "./machine.ts";
import { type Operation, readOperation } from "./operation.ts";
import { Places } from "./places.ts";
import { Player } from "./player.ts";
import { summary, traces } from "./report.ts";
import { search } from "./search.ts";

/** A model that changes the answers of ioctls with a struct. */
class WrongKernel extends ModelKernel {
  readonly #change: (request: number, argument: Uint8Array, result: number) => number;

  constructor(change: (request: number, argument: Uint8Array, result: number) => number) {
    super();
    this.#change = change;
  }

  override ioctlBuffer(fd: number, request: number, argument: Uint8Array): number {
    return this.#change(request, argument, super.ioctlBuffer(fd, request, argument));
  }
}

const overlapIsInvalid = (): Kernel =>
  new WrongKernel((_, __, result) => result === -ERRNO.EEXIST ? -ERRNO.EINVAL : result);

/** An unmap that removes a single page says that it removed two. */
const unmapSaysTwo = (): Kernel =>
  new WrongKernel((request, argument, result) => {
    const size = new DataView(argument.buffer).getBigUint64(16, true);
    const one = request === VFIO_IOMMU_UNMAP_DMA && result === 0 && size === 0x1000n;
    if (one) argument[17] = 0x20;
    return result;
  });

// DEFAULT_SCENE has the first device of the plain machine bound to vfio-pci.
const devices = ["0000:00:10.0"];
const machine = { ...PLAIN, devices };

const map = (iova: bigint): Operation => ({
  op: "map",
  container: 0,
  argsz: 32,
  flags: 3,
  vaddr: { place: "good", offset: 0 },
  iova,
  size: 0x1000n,
});
const begin: readonly Operation[] = [
  { op: "open", container: 0 },
  { op: "openGroup", group: 0 },
  { op: "setContainer", group: 0, container: 0 },
  { op: "value", container: 0, request: VFIO_SET_IOMMU, value: 3n },
];

describe("compare", () => {
  it("finds no difference between a model and itself, and leaves both as they were", () => {
    const kernels = [new ModelKernel(), new ModelKernel()] as const;
    {
      using a = new Player(kernels[0], devices);
      using b = new Player(kernels[1], devices);
      equal(compare(a, b, [...begin, map(0x1000n), map(0x1000n)]), {
        steps: 6,
        difference: undefined,
      });
      equal(a.locked, 0);
    }
    equal(kernels.map(({ openFiles, openMappings }) => [openFiles, openMappings]), [[0, 0], [
      0,
      0,
    ]]);
  });

  it("stops at the first step that differs, and shortens to what matters", () => {
    using right = new Player(new ModelKernel(), devices);
    using wrong = new Player(overlapIsInvalid(), devices);
    const useless = [map(0x8000n), map(0x9000n), { op: "status", group: 0, argsz: 8 }] as const;
    const steps = [...begin, ...useless, map(0x1000n), map(0x1000n), map(0x2000n)];
    const { difference } = compare(right, wrong, steps);
    equal(difference?.operations.length, 9);
    equal(difference?.answers.map((answer) => answer?.result), ["EEXIST", "EINVAL"]);
    equal(shorten(right, wrong, difference!).operations, [
      ...begin,
      map(0x1000n),
      map(0x1000n),
    ]);
  });

  it("counts only steps that call something", () => {
    using a = new Player(new ModelKernel(), devices);
    using b = new Player(new ModelKernel(), devices);
    equal(compare(a, b, [{ op: "close", container: 0 }, map(0n), ...begin]).steps, 4);
  });
});

describe("a trace", () => {
  it("can be read back, and says what both answered", () => {
    using right = new Player(new ModelKernel(), devices);
    using wrong = new Player(unmapSaysTwo(), devices);
    const bitmap = {
      pgsize: 4096n,
      size: 8n,
      data: { place: "bits", offset: 0 },
      fill: 255,
    } as const;
    const fields = { container: 0, argsz: 48, flags: 0, iova: 0x1000n, size: 0x1000n, bitmap };
    const steps: Operation[] = [...begin, map(0x1000n), { op: "unmap", ...fields }];
    const { difference } = compare(right, wrong, steps);
    equal(difference?.answers.map((answer) => answer?.written), [undefined, "17:20"]);
    const lines = writeTrace(right, wrong, difference!).split("\n");
    ok(lines.at(-2)?.includes('"answer":{"result":"OK","locked":1}'));
    ok(lines.at(-1)?.includes('"model 2":{"result":"OK","written":"17:20","locked":-1}'));
    equal(lines.map(readOperation), steps);
  });

  it("refuses a line that is no operation", () => {
    throws(() => readOperation("[1]"), TypeError);
  });
});

describe("places", () => {
  it("never let a kernel reach past their end", () => {
    using places = new Places(new ModelKernel());
    const at = places.address({ place: "bits", offset: 0 }, 0x20000n);
    equal(places.address({ place: "bits", offset: 8 }, 0x20000n), 0x1008n);
    equal(places.address({ place: "bits", offset: 8 }, 0x1fff8n), at + 8n);
    equal(places.address({ place: "kernel", offset: 0 }, 1n << 63n), 0xffff_8000_0000_0000n);
  });
});

const fc = await loadFastCheck();

describe("random requests", () => {
  if (typeof fc === "string") return skip("find what is wrong with a model", fc);

  it("find no difference between equal models", () => {
    using a = new Player(new ModelKernel(), devices);
    using b = new Player(new ModelKernel(), devices);
    const found = search(fc, machine, [a, b], { seed: 1, steps: 500, kinds: 1 });
    equal(found.differences, []);
    ok(found.steps >= 500);
    ok(/^\d+ steps in \d+ sequences, none different, \d+ steps a second \(seed 1\)$/.test(
      summary(found, 1),
    ));
  });

  it("ask iommufd too: no difference between equal models, and a wrong one is found", () => {
    const mock = (): ModelKernel => new ModelKernel(LAB_SCENES.mock);
    {
      using a = new Player(mock(), []);
      using b = new Player(mock(), []);
      const found = search(fc, MOCK, [a, b], { seed: 4, steps: 500, kinds: 1 });
      equal(found.differences, []);
      ok(found.steps >= 500);
    }
    // A model that leaves the bits of a page table where they are when they are taken.
    class Forgets extends ModelKernel {
      override ioctlBuffer(fd: number, request: number, argument: Uint8Array): number {
        if (request !== IOMMU_HWPT_GET_DIRTY_BITMAP || argument[8] !== 0) {
          return super.ioctlBuffer(fd, request, argument);
        }
        argument[8] = 1; // NO_CLEAR: the bits are seen again
        const result = super.ioctlBuffer(fd, request, argument);
        argument[8] = 0;
        return result;
      }
    }
    using right = new Player(mock(), []);
    using wrong = new Player(new Forgets(LAB_SCENES.mock), []);
    const found = search(fc, MOCK, [right, wrong], { seed: 5, steps: 20_000, kinds: 1 });
    const last = found.differences[0]?.operations.at(-1);
    equal(last?.op === "iommufd" && last.request, IOMMU_HWPT_GET_DIRTY_BITMAP);
    const kinds = found.differences[0]!.operations.map((step) => "request" in step && step.request);
    equal(kinds.filter((kind) => kind === IOMMU_HWPT_GET_DIRTY_BITMAP).length, 2);
  });

  it("find a wrong error number, and shrink to two mappings that overlap", () => {
    using right = new Player(new ModelKernel(), devices);
    using wrong = new Player(overlapIsInvalid(), devices);
    const found = search(fc, machine, [right, wrong], { seed: 2, steps: 20_000, kinds: 1 });
    equal(found.differences.length, 1);
    const [difference] = found.differences;
    equal(difference?.operations.map(({ op }) => op), [...begin.map(({ op }) => op), "map", "map"]);
    ok(traces(found, [right, wrong]).includes('"model":{"result":"EEXIST"}'));
  });

  it("find a wrong size written back", () => {
    using right = new Player(new ModelKernel(), devices);
    using wrong = new Player(unmapSaysTwo(), devices);
    const found = search(fc, machine, [right, wrong], { seed: 3, steps: 20_000, kinds: 1 });
    equal(found.differences[0]?.operations.at(-1)?.op, "unmap");
    const { operations } = found.differences[0]!;
    ok(operations.length <= 7);
    operations.forEach((_, i) => {
      const fewer = operations.filter((_, at) => at !== i);
      equal(compare(right, wrong, fewer).difference, undefined, `step ${i} does not matter`);
    });
  });
});
