/** The vendor driver itself: what it shows, and that it comes and goes. */
import { equal, match, ok } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { at, code, NO_UNMAP, PINS, PINS2, Scene, VENDOR_PCI } from "./scene.ts";

const TYPES = "/sys/class/mdev_bus/pinscope_vendor/mdev_supported_types";
const text = (path: string): string => Deno.readTextFileSync(path).trim();
const free = (): number => Number(text(`${TYPES}/pinscope_vendor-pins/available_instances`));

function run(...words: [string, ...string[]]): { ok: boolean; stderr: string } {
  const [program, ...args] = words;
  const { success, stderr } = new Deno.Command(program, { args }).outputSync();
  return { ok: success, stderr: new TextDecoder().decode(stderr) };
}

const make = (uuid: string, type: string): void =>
  Deno.writeTextFileSync(`${TYPES}/pinscope_vendor-${type}/create`, uuid);

const kernelLog = (): string[] =>
  new TextDecoder().decode(new Deno.Command("dmesg").outputSync().stdout).trim().split("\n");

// Other files ask on purpose for what the kernel warns about, as a pin while a mapping has lost its
// address.
const begin = kernelLog().at(-1) ?? "";

describe("the vendor driver", () => {
  it("offers four types of mediated devices, which share 32 instances", () => {
    const types = [...Deno.readDirSync(TYPES)].map(({ name }) => name).sort();
    equal(types, ["logs", "migrates", "no_unmap", "pins"].map((name) => `pinscope_vendor-${name}`));
    const before = free();
    const uuid = "50696e73-0000-4000-8000-0000000000ff";
    make(uuid, "no_unmap");
    equal(free(), before - 1);
    Deno.writeTextFileSync(`/sys/bus/mdev/devices/${uuid}/remove`, "1");
    equal(free(), before);
    equal(before, 29);
  });

  it("takes a PCI device by driver_override only", () => {
    const folder = `/sys/bus/pci/devices/${VENDOR_PCI}`;
    equal(text(`${folder}/driver_override`), "pinscope-vfio-pci");
    match(Deno.readLinkSync(`${folder}/driver`), /\/pinscope-vfio-pci$/);
    Deno.writeTextFileSync(`${folder}/driver_override`, "\n");
    Deno.writeTextFileSync(`${folder}/driver/unbind`, VENDOR_PCI);
    Deno.writeTextFileSync("/sys/bus/pci/drivers_probe", VENDOR_PCI);
    const links = [...Deno.readDirSync(folder)].map(({ name }) => name);
    Deno.writeTextFileSync(`${folder}/driver_override`, "pinscope-vfio-pci");
    Deno.writeTextFileSync("/sys/bus/pci/drivers_probe", VENDOR_PCI);
    equal(links.includes("driver"), false);
    match(Deno.readLinkSync(`${folder}/driver`), /\/pinscope-vfio-pci$/);
  });

  it("shows a PCI device as vfio-pci does, with a region of its own behind", () => {
    using scene = new Scene({ device: VENDOR_PCI });
    const { device } = scene.vendor;
    equal([device.info().isPci, device.info().regions], [true, 10]);
    equal(device.region(0).info.size, 1n << 20n);
    equal(device.region(9).info.type, { type: 0x8000_1234, subtype: 0x50 });
  });

  it("forgets everything when a device is closed", () => {
    {
      using scene = new Scene();
      scene.vendor.pin(at(0), 9);
      scene.mapping[Symbol.dispose]();
      equal(scene.vendor.status().returned, 9);
    }
    using scene = new Scene();
    equal(scene.vendor.status(), { pinned: 0, pins: 0, unmaps: 0, returned: 0, log: [] });
  });

  it("refuses what it could not give back", () => {
    using scene = new Scene();
    equal(code(() => scene.vendor.unpin(at(0))), "ENOENT");
    equal(code(() => scene.vendor.pin(at(0) + 8n)), "EINVAL");
    equal(code(() => scene.vendor.writeThroughPin(at(0), Uint8Array.of(1))), "ENOENT");
    scene.vendor.pin(at(0), 1, { write: false });
    equal(code(() => scene.vendor.writeThroughPin(at(0), Uint8Array.of(1))), "EPERM");
    equal(code(() => scene.vendor.unpin(at(0), 2)), "ENOENT");
    equal(scene.vendor.status().pins, 1);
  });

  it("cannot be removed while a device is open; afterwards it goes, and comes again", () => {
    {
      using scene = new Scene();
      scene.vendor.pin(at(0));
      const refused = run("rmmod", "pinscope_vendor");
      equal(refused.ok, false);
      match(refused.stderr, /temporarily unavailable/);
      equal(scene.vendor.status().pinned, 1);
    }
    equal(run("rmmod", "pinscope_vendor"), { ok: true, stderr: "" });
    equal(run("insmod", "/job/modules/pinscope_vendor.ko"), { ok: true, stderr: "" });
    make(PINS, "pins");
    make(PINS2, "pins");
    make(NO_UNMAP, "no_unmap");
    using scene = new Scene({ device: VENDOR_PCI });
    scene.vendor.pin(at(0));
  });

  it("says nothing, and the kernel does not complain", () => {
    const all = kernelLog();
    const lines = all.slice(all.lastIndexOf(begin) + 1);
    const own = lines.filter((line) => line.includes("pinscope"))
      .filter((line) => !/MDEV: |iommu group|module verification|out-of-tree/.test(line));
    equal(own, []);
    ok(!lines.some((line) => /WARNING:|BUG:|Oops/.test(line)));
  });
});
