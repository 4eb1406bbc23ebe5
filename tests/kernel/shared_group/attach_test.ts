/** A group with two devices, of which the host uses one. */
import { Container, rawLinux as linux } from "../../../mod.ts";
import { VFIO_GROUP_GET_STATUS } from "../../../lib/uapi/mod.ts";
import { equal, throws } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { Edu } from "../support/edu.ts";
import { it } from "../support/guard.ts";
import { EDU, groupOf, LOW, PAGE } from "../support/machine.ts";
import { answer, openFile, openGroup, RawContainer, setContainer } from "../support/raw.ts";
import { refused } from "../support/refused.ts";

/** edu, with vfio-pci. */
const OURS = "0000:00:12.0";
/** e1000, with its own driver. */
const THEIRS = "0000:00:12.1";
const NUMBER = groupOf(OURS);

const write = (path: string, text: string): void => Deno.writeTextFileSync(path, text);

/** Gives the host's device to another driver, or none, until scope end. */
function lend(driver: "vfio-pci" | undefined): Disposable {
  const device = `/sys/bus/pci/devices/${THEIRS}`;
  const bind = (name: string): void => {
    write(`${device}/driver_override`, name);
    write("/sys/bus/pci/drivers_probe", THEIRS);
  };
  write(`${device}/driver/unbind`, THEIRS);
  if (driver !== undefined) bind(driver);
  return {
    [Symbol.dispose]: () => {
      if (driver !== undefined) write(`${device}/driver/unbind`, THEIRS);
      bind("\n");
    },
  };
}

describe("a group of which the host uses a device", () => {
  it("is not viable, raw: status flags 0, SET_CONTAINER EPERM", () => {
    equal(groupOf(THEIRS), NUMBER);
    using group = openGroup(OURS);
    const bytes = Uint32Array.of(8, 0xff);
    const view = new Uint8Array(bytes.buffer);
    equal([answer(linux.ioctlBuffer(group.fd, VFIO_GROUP_GET_STATUS, view)), bytes[1]], ["OK", 0]);
    using empty = openFile("/dev/vfio/vfio");
    equal(answer(setContainer(group.fd, empty.fd)), "EPERM");
    using used = new RawContainer("v2", EDU);
    equal(answer(setContainer(group.fd, used.fd)), "EPERM");
  });

  for (const target of [OURS, THEIRS, `group:${NUMBER}`]) {
    it(`attach ${target} names the guilty device and what to do`, () => {
      using container = Container.open();
      const error = refused(() => container.attach(target), {
        code: "EPERM",
        operation: "VFIO_GROUP_GET_STATUS",
        text: `Cannot use IOMMU group ${NUMBER}: VFIO_GROUP_GET_STATUS failed with EPERM (1): it ` +
          `is not viable: a driver of the host still uses a device of it (${THEIRS}: e1000); ` +
          `give it up with: pinscope bind ${THEIRS}`,
      });
      equal(error.details, {
        group: NUMBER,
        devices: [
          { name: OURS, bus: "pci", driver: "vfio-pci" },
          { name: THEIRS, bus: "pci", driver: "e1000" },
        ],
      });
    });
  }

  it("leaves a container alone that has another group", () => {
    using container = Container.open();
    using group = container.attach(EDU);
    throws(() => container.attach(OURS), Error, "not viable");
    equal(container.groups, [group]);
  });
});

describe("a group of which the host gave its device up", () => {
  it("is viable, also without a driver for it", async () => {
    using _lent = lend(undefined);
    using container = Container.open();
    using group = container.attach(OURS);
    using edu = new Edu(group);
    equal(edu.device.name, OURS);
    using memory = container.allocate(PAGE);
    using _mapping = container.map(memory, { iova: LOW });
    memory.bytes[0] = 77;
    await edu.fromMemory({ iova: LOW, count: 1 });
    await edu.toMemory({ iova: LOW + 1n, count: 1 });
    equal(memory.bytes[1], 77);
    refused(() => group.device(THEIRS), {
      code: "ENODEV",
      operation: "VFIO_GROUP_GET_DEVICE_FD",
      text: `its driver is none; bind it with: pinscope bind ${THEIRS}`,
    });
  });

  it("opens both devices with vfio-pci, and wants to know which", () => {
    using _lent = lend("vfio-pci");
    using container = Container.open();
    using group = container.attach(`group:${NUMBER}`);
    throws(
      () => group.device(),
      TypeError,
      `Group ${NUMBER} has several devices, name one of: ${OURS}, ${THEIRS}`,
    );
    using ours = group.device(OURS);
    using theirs = group.device(THEIRS);
    equal([ours, theirs].map((device) => device.region(7).read32(0).toString(16)), [
      "11e81234",
      "100e8086",
    ]);
  });

  it("cannot be taken back by the host while it is in use", () => {
    using container = Container.open();
    {
      using _lent = lend(undefined);
      using _group = container.attach(OURS);
      // The kernel keeps the host's driver from a group that user space owns.
      throws(() => write("/sys/bus/pci/drivers_probe", THEIRS), TypeError, "Invalid argument");
      const device = `/sys/bus/pci/devices/${THEIRS}/driver`;
      equal(typeof linux.readlink(device), "number", "no driver was bound");
    }
    equal(
      linux.readlink(`/sys/bus/pci/devices/${THEIRS}/driver`).toString().endsWith("/e1000"),
      true,
    );
  });
});
