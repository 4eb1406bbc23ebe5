/** A device's log and a migration as a trace, and run again. */
import { Container, type Kernel } from "../../mod.ts";
import { LAB_SCENES, ModelKernel } from "../../lib/model/mod.ts";
import { replay, type TraceRecord } from "../../lib/trace/mod.ts";
import { VendorDevice } from "../kernel/vendor/vendor_device.ts";
import { equal, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { recorded } from "../unit/trace/support.ts";

const LOGS = "50696e73-0000-4000-8000-000000000001";
const LOGS2 = "50696e73-0000-4000-8000-000000000002";
const model = (): ModelKernel => new ModelKernel(LAB_SCENES.own_vendor);

/** Two devices: one logs what it writes, and its state goes to the other. */
function session(kernel: Kernel): void {
  using container = Container.open({ kernel });
  using groupA = container.attach(LOGS);
  using groupB = container.attach(LOGS2);
  using a = new VendorDevice(groupA);
  using b = new VendorDevice(groupB);
  using log = a.device.logDma({ ranges: [{ iova: 0n, size: 1n << 20n }] });
  a.dirty(0x5000n, 3);
  equal([...log.tracker.drain()].map(({ count }) => count), [3]);
  a.data = new Uint8Array(4096).fill(7);
  using saved = a.device.migration().setState("stop-copy");
  using loaded = b.device.migration().setState("resuming");
  for (const piece of saved?.chunks(1000) ?? []) loaded?.write(piece);
  b.device.migration().setState("running");
  equal(b.data[4095], 7);
}

function trace(): TraceRecord[] {
  const { kernel, records } = recorded(model());
  session(kernel);
  return records;
}

describe("a trace of a device's log and a migration", () => {
  it("tells the fields, the ranges, the bits and the data", () => {
    const requests = trace().filter((record) => record.call === "ioctl");
    const flags = requests.map(({ fields }) => fields?.flags ?? "");
    for (const name of ["DMA_LOGGING_START", "DMA_LOGGING_REPORT", "MIG_DEVICE_STATE"]) {
      ok(flags.some((text) => text.endsWith(name)), name);
    }
    const reports = requests.filter(({ fields }) => fields?.flags?.endsWith("DMA_LOGGING_REPORT"));
    // The first one asked whether there is a log; bits 5 to 7 of the last are set.
    equal(reports.at(-1)?.pointers?.[0]?.after?.slice(0, 2), "e0");
    const start = requests.find(({ fields }) => fields?.flags === "SET DMA_LOGGING_START");
    const [ranges] = start?.pointers ?? [];
    equal([ranges?.field, ranges?.before], ["data.ranges", "00*10 100000000000"]);
  });

  it("runs again without a difference, and differs where no device logs", async () => {
    const records = trace();
    const { different } = await replay(records, model(), { all: true });
    equal(different, []);
    const plain = new ModelKernel({
      ...LAB_SCENES.own_vendor,
      devices: LAB_SCENES.vendor.devices!,
    });
    const other = await replay(records, plain, { all: true });
    ok(other.different.length > 0);
  });
});
