/** A device that logs, on a distribution's kernel: only some of them can write reports. */
import { Container, createMdev, removeMdev } from "../../../mod.ts";
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { LOW, PAGE } from "../support/machine.ts";
import { refused } from "../support/refused.ts";
import { code } from "./scene.ts";
import { VendorDevice } from "./vendor_device.ts";

const UUID = "50696e73-0000-4000-8000-000000000009";
const UUID2 = "50696e73-0000-4000-8000-00000000000a";

/** Linux before v6.7 has the bitmaps of reports in vfio, later ones in iommufd alone. */
const hasBitmaps = Deno.readTextFileSync("/proc/kallsyms").includes(" iova_bitmap_set");

describe("device.logDma on a kernel without iommufd", () => {
  it(`${hasBitmaps ? "works where vfio has" : "names"} what reports are written with`, () => {
    createMdev("pinscope_vendor", "pinscope_vendor-logs", UUID);
    try {
      using container = Container.open();
      using group = container.attach(UUID);
      using vendor = new VendorDevice(group);
      const { device } = vendor;
      const ranges = [{ iova: LOW, size: 64n * PAGE }];
      const support = device.dmaLogSupport();
      if (hasBitmaps) {
        equal(support, { works: true });
        using log = device.logDma({ ranges });
        vendor.dirty(LOW + 3n * PAGE, 2);
        const runs = [...log.tracker.drain()].flatMap((window) => [...window.runs()]);
        equal(runs.map(({ iova, pages }) => [iova, pages]), [[LOW + 3n * PAGE, 2]]);
        return;
      }
      equal(support.works ? "works" : support.reason, "no-iommufd");
      refused(() => device.logDma({ ranges }), {
        code: "EOPNOTSUPP",
        operation: "VFIO_DEVICE_FEATURE",
        text: "built without CONFIG_IOMMUFD",
      });
      equal(vendor.log().ranges, 0, "nothing was started");
    } finally {
      removeMdev(UUID);
    }
  });
});

describe("device.migration on a distribution's kernel", () => {
  it("moves a device's state to another; before v6.2 without pre-copy", () => {
    for (const uuid of [UUID, UUID2]) createMdev("pinscope_vendor", "pinscope_vendor-logs", uuid);
    try {
      using container = Container.open();
      using groupA = container.attach(UUID);
      using groupB = container.attach(UUID2);
      using source = new VendorDevice(groupA);
      using target = new VendorDevice(groupB);
      const saving = source.device.migration();
      // The size of the data came with pre-copy.
      equal(code(() => saving.dataSize()), saving.hasPreCopy ? "OK" : "ENOTTY");
      equal([saving.hasP2p, saving.path("stop-copy")], [true, [
        "running-p2p",
        "stop",
        "stop-copy",
      ]]);
      source.data = new Uint8Array(4096).fill(7);
      using data = saving.setState("stop-copy");
      const loading = target.device.migration();
      using into = loading.setState("resuming");
      for (const piece of data?.chunks(1000) ?? []) into?.write(piece);
      loading.setState("running");
      equal(target.data, new Uint8Array(4096).fill(7));
    } finally {
      for (const uuid of [UUID, UUID2]) removeMdev(uuid);
    }
  });
});
