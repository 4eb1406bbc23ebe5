/** What our windows are labelled with as the dirty scope turns. */
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { at, read, Scene, VENDOR_PCI, VFIO_PCI } from "./scene.ts";
import { VendorDevice } from "./vendor_device.ts";

const scopeOf = ({ container }: Scene): string => {
  const { label, basis } = container.scope();
  return `${label} by ${basis}`;
};
const all = (label: string): { label: string; dirty: string } => ({ label, dirty: "0-63" });
const pinned = (dirty: string): { label: string; dirty: string } => ({
  label: "pinned-scope",
  dirty,
});

describe("windows of a container with a device behind an IOMMU whose driver may pin", () => {
  it("are unknown, then pinned, and unknown again when the group is put in again", () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    {
      using group = scene.join(VENDOR_PCI);
      using edu = new VendorDevice(group);
      equal([scopeOf(scene), read(tracker)], ["unknown by none", all("unknown")]);
      edu.pin(at(3));
      equal([read(tracker), scopeOf(scene)], [pinned("3"), "pinned-scope by evidence"]);
    }
    equal([scopeOf(scene), read(tracker)], ["pinned-scope by rule", pinned("3")]);
    using _group = scene.join(VENDOR_PCI);
    equal([scopeOf(scene), read(tracker)], ["unknown by none", all("unknown")]);
  });

  it("are unknown once after it left: nothing shows whether it had pinned", () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    scene.vendor.pin(at(1));
    scene.join(VENDOR_PCI)[Symbol.dispose]();
    equal([read(tracker), read(tracker)], [all("unknown"), pinned("1")]);
  });

  it("are all-mapped while a vfio-pci group is there and once after, then what they were", () => {
    using scene = new Scene({ device: VENDOR_PCI });
    using tracker = scene.container.trackDirty();
    scene.vendor.pin(at(3));
    equal(read(tracker), pinned("3"));
    {
      using _plain = scene.join(VFIO_PCI);
      equal([scopeOf(scene), read(tracker)], ["all-mapped by rule", all("all-mapped")]);
    }
    equal(read(tracker), all("all-mapped"));
    equal([scopeOf(scene), read(tracker)], ["pinned-scope by evidence", pinned("3")]);
  });
});
