/** A device that logs, on a distribution's kernel: only some of them can write reports. */
import { Container, createMdev, removeMdev } from "../../../mod.ts";
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { LOW, PAGE } from "../support/machine.ts";
import { refused } from "../support/refused.ts";
import { VendorDevice } from "./vendor_device.ts";

const UUID = "50696e73-0000-4000-8000-000000000009";

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
