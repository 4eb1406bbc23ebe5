/** The front of iommufd that reads as a container, with devices behind an emulated VT-d. */
import {
  createMdev,
  deviceOf,
  Iommufd,
  IommufdContainer,
  removeMdev,
  VfioError,
} from "../../../mod.ts";
import { VFIO_DEVICE_FEATURE_DMA_LOGGING_START } from "../../../lib/uapi/mod.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { EDU, EDU2, LOW, MiB } from "../support/machine.ts";

const MTTY = "50696e73-0000-4000-8000-0000000000ff";

describe("IommufdContainer on VT-d without dirty bits", () => {
  it("maps for devices, and pins at the attach", () => {
    using container = IommufdContainer.open();
    using memory = container.allocate(MiB);
    const before = container.pins();
    using mapping = container.map(memory, { iova: LOW });
    equal(container.pins().since(before).pinned, 0n);
    using one = container.attach(EDU);
    equal(container.pins().since(before).pinned, MiB);
    {
      using _two = container.attach(EDU2);
      equal(container.pins().since(before).pinned, MiB, "once for both");
      equal(container.devices.map(({ name }) => name), [EDU, EDU2]);
    }
    equal([one.tracksDirty, mapping.isMapped, container.pageSize], [false, true, 4096n]);
    one[Symbol.dispose]();
    equal(container.pins().since(before).pinned, 0n);
    equal(mapping.isMapped, true, "mappings stay without a device");
    equal(container.unmapAll(), MiB);
  });

  it("says that the IOMMU tells of no writes, and what to try", () => {
    using container = IommufdContainer.open();
    throws(() => container.trackDirty(), ReferenceError, "attach one first");
    using _member = container.attach(EDU);
    const error = throws(() => container.trackDirty(), VfioError, `what ${EDU} writes`);
    ok(error instanceof VfioError);
    equal([error.operation, error.code], ["IOMMU_HWPT_ALLOC", "EOPNOTSUPP"]);
    ok(error.message.includes("logDma"));
    // And so says the kernel, asked for it all the same.
    using bound = Iommufd.open();
    using device = bound.bind(EDU2);
    using space = bound.addressSpace();
    const asked = throws(() => space.pageTable(device, { dirtyTracking: true }), VfioError);
    equal(asked instanceof VfioError && asked.code, "EOPNOTSUPP");
  });

  it("gives a device's regions and features as a group does", () => {
    using container = IommufdContainer.open();
    using member = container.attach(EDU);
    const device = member.device();
    ok(device.info().isPci);
    const config = device.region(7);
    ok(config.info.size >= 256n);
    const bar = device.region(0).map();
    equal(bar.read32(0), 0x0100_00ed, "edu's identification");
    equal(device.feature(VFIO_DEVICE_FEATURE_DMA_LOGGING_START), { get: false, set: false });
    member[Symbol.dispose]();
    throws(() => bar.read32(0), ReferenceError, "unmapped");
    // All is closed: the device can be bound again, by another.
    using iommufd = Iommufd.open();
    using bound = iommufd.bind(EDU);
    using again = deviceOf(bound);
    ok(again.regions().length > 0);
  });

  it("takes a mediated device, whose driver no IOMMU sees: nothing tells what it writes", () => {
    createMdev("mtty", "mtty-1", MTTY);
    try {
      using container = IommufdContainer.open();
      using member = container.attach(MTTY);
      equal([member.name, member.tracksDirty], [MTTY, false]);
      const error = throws(() => container.trackDirty(), VfioError, `what ${MTTY} writes`);
      equal(error instanceof VfioError && error.code, "EOPNOTSUPP");
      // The kernel knows of no IOMMU for it either: neither what it can do, nor a page table.
      using iommufd = Iommufd.open();
      member[Symbol.dispose]();
      using device = iommufd.bind(MTTY);
      using space = iommufd.addressSpace();
      for (
        const ask of [
          () => iommufd.hardwareInfo(device),
          () => space.pageTable(device, { dirtyTracking: true }),
        ]
      ) {
        const refused = throws(ask, VfioError);
        equal(refused instanceof VfioError && refused.code, "ENOENT");
      }
    } finally {
      removeMdev(MTTY);
    }
  });
});
