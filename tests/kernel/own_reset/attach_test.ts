/** A device that is attached while it is being reset. Kernels from 7 on let no IOMMU touch it then. */
import { Iommufd, rawLinux as linux, VfioError } from "../../../mod.ts";
import { VFIO_DEVICE_RESET } from "../../../lib/uapi/mod.ts";
import { equal, match, ok } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { sinceSeven } from "../support/release.ts";

/** A PCIe device with address translation services, whose function level reset is waited for. */
const DEVICE = "0000:01:00.0";

describe("an attach during a reset", () => {
  it(`is ${sinceSeven() ? "EBUSY, and says so" : "no matter on this kernel"}; afterwards it works`, async () => {
    using iommufd = Iommufd.open();
    using device = iommufd.bind(DEVICE);
    using space = iommufd.addressSpace();
    {
      using _attachment = device.attach(space);
    }
    const answers = new Map<string, string>();
    const attach = (): void => {
      try {
        using _attachment = device.attach(space);
        answers.set("OK", "");
      } catch (error) {
        if (!(error instanceof VfioError)) throw error;
        answers.set(error.code, error.message);
      }
    };
    const [argument, clear] = [new Uint8Array(8), new Uint8Array(0)];
    const reset = linux.ioctlAside({
      fd: device.fd,
      request: VFIO_DEVICE_RESET,
      argument,
      clear,
    });
    let isOver = false;
    const over = reset.done.then(({ result, milliseconds }) => {
      isOver = true;
      equal(result, 0);
      ok(milliseconds >= 100, `a function level reset takes 100 ms; it took ${milliseconds}`);
    });
    while (!isOver) {
      attach();
      await new Promise((go) => setTimeout(go, 1));
    }
    await over;
    if (sinceSeven()) match(`${answers.get("EBUSY")}`, /being reset.*try again/);
    else equal([...answers.keys()], ["OK"]);
    answers.clear();
    attach();
    equal([...answers.keys()], ["OK"]);
  });
});
