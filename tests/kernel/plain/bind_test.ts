/** Devices given to vfio-pci and back: the kernel's own files in sysfs are the witness. */
import { bindDevice, Container, listHost, unbindDevice, usesOf } from "../../../mod.ts";
import { equal, match, ok } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { EDU2, groupOf } from "../support/machine.ts";
import { refused } from "../support/refused.ts";

const sysfs = (name: string): string => `/sys/bus/pci/devices/${EDU2}/${name}`;

function driver(): string | undefined {
  try {
    return Deno.readLinkSync(sysfs("driver")).split("/").at(-1);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

const override = (): string => Deno.readTextFileSync(sysfs("driver_override")).trim();

/** The device that a file system of the guest is mounted through: it must stay where it is. */
function shareDevice(): string {
  const found = listHost().groups.flatMap(({ devices }) => devices)
    .find(({ uses }) => uses.some(({ kind }) => kind === "mount"));
  if (found === undefined) throw new Error("the guest has no share");
  return found.name;
}

describe("binding", () => {
  it("goes to no driver and back, and the group's node with it", () => {
    const node = `${groupOf(EDU2)}`;
    const hasNode = (): boolean => [...Deno.readDirSync("/dev/vfio")].some((e) => e.name === node);
    equal(unbindDevice(EDU2).to, undefined);
    equal([driver(), override(), hasNode()], [undefined, "(null)", false]);
    equal(bindDevice(EDU2).to, "vfio-pci");
    equal([driver(), override(), hasNode()], ["vfio-pci", "vfio-pci", true]);
    using container = Container.open();
    using group = container.attach(EDU2);
    using _device = group.device();
  });

  it("leaves a bound device as it is", () => {
    const before = override();
    const { from, to } = bindDevice(EDU2);
    equal([from, to, override()], ["vfio-pci", "vfio-pci", before]);
  });

  it("is not undone while the group is open, and the call comes back", () => {
    using container = Container.open();
    using _group = container.attach(EDU2);
    refused(() => unbindDevice(EDU2), {
      code: "EBUSY",
      operation: "open",
      text: /a program has \/dev\/vfio\/\d+, or a device of it, open/,
    });
    equal(driver(), "vfio-pci");
  });

  it("is refused for what the guest runs from: the kernel would wait for the unmount", () => {
    const name = shareDevice();
    const [use] = usesOf(name);
    match(use?.text ?? "", / is mounted on \//);
    refused(() => bindDevice(name), {
      code: "EBUSY",
      operation: "bind",
      text: /the host uses it: .* is mounted on \//,
    });
    const path = `/sys/bus/pci/devices/${name}/driver_override`;
    equal(Deno.readTextFileSync(path).trim(), "(null)");
  });
});

describe("the inventory of the host", () => {
  it("agrees with sysfs", () => {
    const { groups, kernel, hasContainer } = listHost();
    equal([kernel, hasContainer], [Deno.osRelease(), true]);
    const names = [...Deno.readDirSync("/sys/kernel/iommu_groups")].map((entry) => entry.name);
    equal(groups.map(({ number }) => number), names.map(Number).sort((a, b) => a - b));
    const group = groups.find(({ number }) => number === groupOf(EDU2));
    equal([group?.state, group?.devices[0]?.id], ["ready", "1234:11e8"]);
    ok(groups.every(({ devices }) => devices.length > 0));
  });
});
