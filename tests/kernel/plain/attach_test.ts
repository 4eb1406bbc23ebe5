/** What the library says when a device cannot be had. */
import { Container } from "../../../mod.ts";
import { equal, throws } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { EDU, groupOf } from "../support/machine.ts";
import { openGroup } from "../support/raw.ts";
import { type Refusal, refused } from "../support/refused.ts";

/** A device of the host: virtio carries the lab's files. */
const USED = "0000:00:01.0";
/** The host bridge, which has no driver. */
const IDLE = "0000:00:00.0";

describe("container.attach", () => {
  const cases: [name: string, target: string, Refusal][] = [
    ["a device that is not there", "0000:00:1e.0", {
      code: "ENOENT",
      operation: "readlink",
      text: "Cannot find the IOMMU group of 0000:00:1e.0: readlink failed with ENOENT (2): there " +
        "is no such device",
    }],
    ["a mediated device that is not there", "50696e73-0000-4000-8000-00000000ffff", {
      code: "ENOENT",
      operation: "readlink",
      text: "there is no such device",
    }],
    ["a group that is not there", "group:999", {
      code: "ENOENT",
      operation: "open",
      text: "Cannot read IOMMU group 999: open failed with ENOENT (2): there is no such group",
    }],
    ["a device with a driver of the host", USED, {
      code: "ENOENT",
      operation: "open",
      text: `no device of it is bound to a VFIO driver (${USED}: virtio-pci); bind with: ` +
        `pinscope bind ${USED}`,
    }],
    ["a device without a driver", IDLE, {
      code: "ENOENT",
      operation: "open",
      text: `no device of it is bound to a VFIO driver (${IDLE}: no driver)`,
    }],
  ];
  for (const [name, target, wanted] of cases) {
    it(`refuses ${name}`, () => {
      using container = Container.open();
      refused(() => container.attach(target), wanted);
      equal(container.groups, []);
    });
  }

  it("refuses what is no name of a device", () => {
    using container = Container.open();
    for (const target of ["", "edu", "00:10.0", "0000:00:10.8", "group:-1", `${EDU} `]) {
      throws(() => container.attach(target), TypeError, `got ${JSON.stringify(target)}`);
    }
  });

  it("takes the letters of an address in either case", () => {
    using container = Container.open();
    refused(() => container.attach("0000:00:1E.0"), {
      code: "ENOENT",
      operation: "readlink",
      text: "group of 0000:00:1e.0",
    });
  });

  it("refuses a group that is in use: here (without asking), in another container, by hand", () => {
    const wanted = {
      code: "EBUSY",
      operation: "open",
      text: `Cannot open IOMMU group ${groupOf(EDU)}: open failed with EBUSY (16): ` +
        `/dev/vfio/${groupOf(EDU)}, or a device of it, is open in another process, or twice in ` +
        "this one",
    };
    using other = Container.open();
    {
      using container = Container.open();
      using _group = container.attach(EDU);
      for (const target of [EDU, `group:${groupOf(EDU)}`]) {
        const text = `The container has group ${groupOf(EDU)} already`;
        throws(() => container.attach(target), ReferenceError, text);
      }
      refused(() => other.attach(EDU), wanted);
      equal(container.groups.length, 1, "the first one is unharmed");
    }
    using _raw = openGroup();
    refused(() => other.attach(EDU), wanted);
  });
});

describe("Container.open", () => {
  it("says when VFIO is not there", () => {
    Deno.renameSync("/dev/vfio/vfio", "/dev/vfio/away");
    using _back = {
      [Symbol.dispose]: () => Deno.renameSync("/dev/vfio/away", "/dev/vfio/vfio"),
    };
    refused(() => Container.open(), {
      code: "ENOENT",
      operation: "open",
      text:
        "Cannot open a VFIO container: open failed with ENOENT (2): /dev/vfio/vfio is missing " +
        "or has no driver: VFIO is not loaded; as root: modprobe vfio-pci",
    });
  });

  it("says when what is there is something else", () => {
    Deno.renameSync("/dev/vfio/vfio", "/dev/vfio/away");
    using _back = {
      [Symbol.dispose]: () => {
        Deno.removeSync("/dev/vfio/vfio");
        Deno.renameSync("/dev/vfio/away", "/dev/vfio/vfio");
      },
    };
    Deno.symlinkSync("/dev/null", "/dev/vfio/vfio");
    refused(() => Container.open(), {
      code: "ENOTTY",
      operation: "VFIO_GET_API_VERSION",
      text: "Cannot open a VFIO container: VFIO_GET_API_VERSION failed with ENOTTY (25): " +
        "/dev/vfio/vfio is a file of another kind",
    });
  });

  it("refuses a type of IOMMU that is none", () => {
    // What a plain JavaScript caller could write.
    const type = "v3" as "v2";
    throws(
      () => Container.open({ type }),
      TypeError,
      'type must be "v1" or "v2"; got the string "v3"',
    );
  });

  it("is of no use before a group is attached, and says so", () => {
    using container = Container.open();
    using memory = container.allocate(4096n);
    const uses: [string, () => unknown][] = [
      ["info", () => container.info()],
      ["map", () => container.map(memory)],
      ["unmapAll", () => container.unmapAll()],
      ["trackDirty", () => container.trackDirty()],
      ["pageSize", () => container.pageSize],
    ];
    for (const [, use] of uses) throws(use, ReferenceError, "no group yet: attach a device first");
    equal(container.pins().dmaAvailable, undefined);
  });
});
