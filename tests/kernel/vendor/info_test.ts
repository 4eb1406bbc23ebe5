/** What a container with mediated devices only says about itself, and what it does not check. */
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import {
  VFIO_DMA_UNMAP_FLAG_ALL,
  VFIO_DMA_UNMAP_FLAG_VADDR,
  VFIO_UPDATE_VADDR,
} from "../../../lib/uapi/mod.ts";
import { Container, UNLIMITED } from "../../../mod.ts";
import { it } from "../support/guard.ts";
import { MiB, PAGE } from "../support/machine.ts";
import { NOWHERE } from "../support/place.ts";
import { rawInfo, rawMap, rawUnmap } from "./raw_ioctl.ts";
import { at, code, NO_UNMAP, pages, PINS, PINS2, Scene, VFIO_PCI } from "./scene.ts";

const PAGE_SIZES = 0xffff_ffff_ffff_f000n;

/** Bytes that GET_INFO asks for; Linux 6.1 does not fill the last 4 of the 12 of DMA_AVAIL up. */
function wants(container: Container): number {
  const { argsz, capOffset } = rawInfo(container);
  equal(capOffset, 0);
  return argsz + (-argsz & 7);
}

describe("an mdev-only container", () => {
  it("has every page size from 4 KiB up, no IOVA range, and wants 72 bytes to say so", () => {
    using scene = new Scene();
    const { pageSizes, pageSize, iovaRanges, dmaAvailable, migration } = scene.container.info();
    equal([pageSizes, pageSize, iovaRanges, dmaAvailable], [PAGE_SIZES, PAGE, undefined, 65534]);
    equal(migration, { pageSizes: PAGE, maxBitmapBytes: 256n * MiB });
    equal(wants(scene.container), 72);
  });

  it("has one range of all addresses, in 104 bytes, once a vfio-pci group came and went", () => {
    using scene = new Scene();
    scene.join(VFIO_PCI)[Symbol.dispose]();
    const { pageSizes, iovaRanges } = scene.container.info();
    equal([pageSizes, iovaRanges], [PAGE_SIZES, [{ start: 0n, end: UNLIMITED }]]);
    equal(wants(scene.container), 104);
  });

  it("cannot update addresses: CHECK_EXTENSION(10) is 0 while an mdev is there", () => {
    using container = Container.open();
    using plain = container.attach(VFIO_PCI);
    equal(container.supports(VFIO_UPDATE_VADDR), true);
    {
      using _group = container.attach(PINS);
      equal(container.supports(VFIO_UPDATE_VADDR), false);
      const flags = VFIO_DMA_UNMAP_FLAG_VADDR | VFIO_DMA_UNMAP_FLAG_ALL;
      // The iova of ALL has to be 0, and VADDR needs a mapping: nobody looks.
      equal(rawUnmap(container, { iova: 5n, size: 0n, flags }).answer, "EBUSY");
    }
    equal(container.supports(VFIO_UPDATE_VADDR), true);
    equal(plain.isAttached, true);
  });

  it("cannot update addresses with a driver that may not pin either", () => {
    using container = Container.open();
    using _group = container.attach(NO_UNMAP);
    equal(container.supports(VFIO_UPDATE_VADDR), false);
  });
});

describe("MAP in an mdev-only container", () => {
  const outside = (scene: Scene, iova: bigint): { join: string; map: string; pin: string } => {
    const { container, memory, vendor } = scene;
    using _mapping = container.map(memory, { iova });
    const pin = code(() => vendor.pin(iova));
    const join = code(() => container.attach(VFIO_PCI)[Symbol.dispose]());
    return { map: "OK", pin, join };
  };

  it("takes an address beyond the IOMMU's: a pin works, a group that joins: EFAULT", () => {
    using scene = new Scene();
    equal(outside(scene, 1n << 52n), { map: "OK", pin: "OK", join: "EFAULT" });
  });

  it("takes an address in the MSI window: a pin works, a group that joins: EINVAL", () => {
    using scene = new Scene();
    equal(outside(scene, 0xfee0_0000n), { map: "OK", pin: "OK", join: "EINVAL" });
  });

  it("takes memory that is not there: EFAULT at the pin, and when a group joins", () => {
    using scene = new Scene();
    const { container, vendor } = scene;
    const range = { iova: at(1024), size: pages(2) };
    equal(rawMap(container, { ...range, vaddr: NOWHERE }), "OK");
    equal(code(() => vendor.pin(range.iova)), "EFAULT");
    equal(code(() => vendor.write(range.iova, Uint8Array.of(1))), "EFAULT");
    equal(code(() => container.attach(VFIO_PCI)), "EFAULT");
    equal(container.groups.length, 1);
    equal(rawUnmap(container, range), { answer: "OK", size: pages(2) });
    container.attach(VFIO_PCI)[Symbol.dispose]();
  });

  it("that another group could not join goes on as before", () => {
    using scene = new Scene();
    const { container, memory, vendor } = scene;
    using tracker = container.trackDirty();
    using _mapping = container.map(memory, { iova: 1n << 52n });
    vendor.pin(at(1));
    equal(code(() => container.attach(VFIO_PCI)), "EFAULT");
    const runs = (): unknown => [...tracker.runs()].map(({ iova, pages }) => [iova, pages]);
    equal(runs(), [[at(1), 1]]);
    equal(container.pins().locked, PAGE);
  });
});

describe("mappings of an mdev-only container", () => {
  it("go with the last group, whose pins the driver has given back", () => {
    using scene = new Scene();
    using second = scene.join(PINS2);
    scene.vendor.pin(at(0), 4);
    scene.group[Symbol.dispose]();
    equal([scene.mapping.isMapped, scene.container.pins().locked], [true, 0n]);
    second[Symbol.dispose]();
    equal(scene.mapping.isMapped, false);
  });
});
