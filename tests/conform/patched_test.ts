/** A kernel that answers one thing differently is caught, and the rule behind it is named. */
import { conform, type Difference } from "../../lib/conform/mod.ts";
import { ERRNO } from "../../lib/base/errno.ts";
import {
  VFIO_IOMMU_DIRTY_PAGES,
  VFIO_IOMMU_MAP_DMA,
  VFIO_IOMMU_UNMAP_DMA,
} from "../../lib/uapi/mod.ts";
import type { Kernel } from "../../lib/sys/kernel.ts";
import { equal, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { modelOf } from "./machines.ts";

/** Changes what ioctls with a struct answer; the struct is as the kernel left it. */
function patched(
  change: (request: number, argument: Uint8Array, result: number) => number,
): Kernel {
  const model = modelOf("vendor", "6.12");
  return new Proxy<Kernel>(model, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      if (name !== "ioctlBuffer") return value.bind(target);
      return (fd: number, request: number, argument: Uint8Array): number =>
        change(request, argument, target.ioctlBuffer(fd, request, argument));
    },
  });
}

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset);

function differences(change: Parameters<typeof patched>[0]): readonly Difference[] {
  const { nearest } = conform(patched(change));
  equal(nearest.recording.name, "6.12");
  return nearest.differences;
}

describe("a patched kernel", () => {
  it("without a change differs in nothing", () => {
    equal(differences((_request, _argument, result) => result), []);
  });

  it("that answers EINVAL to an overlap is caught, with rule and function", () => {
    const found = differences((request, _argument, result) =>
      request === VFIO_IOMMU_MAP_DMA && result === -ERRNO.EEXIST ? -ERRNO.EINVAL : result
    );
    const first = found.find(({ check }) => check === "map: the same page again");
    equal(first, {
      check: "map: the same page again",
      step: "MAP",
      rule: "map.overlap",
      about: first?.about ?? "",
      source: "vfio_dma_do_map",
      recorded: "EEXIST",
      answered: "EINVAL",
    });
    ok(found.every(({ recorded, answered }) => recorded === "EEXIST" && answered === "EINVAL"));
  });

  it("that forgets the size in one request of UNMAP is caught", () => {
    const found = differences((request, argument, result) => {
      if (request === VFIO_IOMMU_UNMAP_DMA && result === 0) {
        view(argument).setBigUint64(16, 0n, true);
      }
      return result;
    });
    ok(
      found.some(({ check, step }) =>
        check === "unmap: one mapping" && step === "size written back"
      ),
    );
  });

  it("that says a bitmap was written where it could not be is caught", () => {
    let faults = 0;
    const found = differences((request, _argument, result) => {
      if (request !== VFIO_IOMMU_DIRTY_PAGES || result !== -ERRNO.EFAULT) return result;
      faults += 1;
      return 0;
    });
    ok(faults > 3, `${faults}`);
    const rules = new Set(found.map(({ rule }) => rule));
    ok(rules.has("dirty.copy") && rules.has("dirty.argument"), [...rules].join());
  });

  it("that refuses what checks need says so, and goes on", () => {
    const found = differences((request, _argument, result) =>
      request === VFIO_IOMMU_MAP_DMA && result === 0 ? -ERRNO.ENOMEM : result
    );
    const prepared = found.find(({ step }) => step === "not prepared");
    equal([prepared?.recorded, prepared?.answered?.includes("ENOMEM")], [undefined, true]);
    ok(found.length > 300, `${found.length}`);
  });
});
