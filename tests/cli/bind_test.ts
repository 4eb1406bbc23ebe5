import { bindDevice, Container, unbindDevice, VfioError } from "../../mod.ts";
import { DEFAULT_MDEV, ModelKernel } from "../../lib/model/mod.ts";
import { equal, match, ok, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { records, run } from "./capture.ts";
import { type Entry, FakeSysfs } from "./fake_sysfs.ts";

const FREE = "0000:00:11.0";
const BOUND = "0000:00:10.0";
const NIC = "0000:00:03.0";
const DISK = "0000:00:04.0";

const override = (kernel: ModelKernel, device: string): string => {
  const fd = kernel.open(`/sys/bus/pci/devices/${device}/driver_override`);
  const into = new Uint8Array(64);
  const got = kernel.read(fd, into);
  kernel.close(fd);
  return new TextDecoder().decode(into.subarray(0, got)).trim();
};

describe("bindDevice", () => {
  it("gives a device to vfio-pci, which a container can use then", () => {
    const kernel = new ModelKernel();
    const done = bindDevice(FREE, { kernel });
    equal(done, {
      device: FREE,
      group: 4,
      from: undefined,
      to: "vfio-pci",
      blockedBy: [],
      isBootDisplay: false,
    });
    using container = Container.open({ kernel });
    using group = container.attach(FREE);
    equal(group.number, 4);
  });

  it("takes the address in capitals", () => {
    equal(bindDevice("0000:00:11.0".toUpperCase(), { kernel: new ModelKernel() }).device, FREE);
  });

  it("leaves a device that VFIO has", () => {
    const kernel = new ModelKernel();
    const { from, to } = bindDevice(BOUND, { kernel });
    equal([from, to, override(kernel, BOUND)], ["vfio-pci", "vfio-pci", "(null)"]);
  });

  it("refuses a disk that is mounted and an interface that is up, and changes nothing", () => {
    for (
      const [device, reason] of [[DISK, /nvme0n1p1 is mounted on \//], [NIC, /eth0 is up/]] as const
    ) {
      const kernel = new ModelKernel();
      const error = throws(() => bindDevice(device, { kernel }), VfioError, reason);
      equal([error.code, override(kernel, device)], ["EBUSY", "(null)"]);
    }
  });

  it("names a missing device", () => {
    const error = throws(
      () => bindDevice("0000:00:1f.7", { kernel: new ModelKernel() }),
      VfioError,
    );
    match(error.message, /^Cannot bind 0000:00:1f.7: .* ENOENT .*: there is no such device/);
  });

  it("wants a PCI address", () => {
    const kernel = new ModelKernel();
    throws(() => bindDevice(DEFAULT_MDEV, { kernel }), TypeError, "belongs to VFIO from the start");
    throws(() => bindDevice("x", { kernel }), TypeError, 'like 0000:00:10.0; got "x"');
  });

  it("comes back to where it was: bind, unbind, bind", () => {
    const kernel = new ModelKernel();
    for (let i = 0; i < 3; i += 1) {
      equal(bindDevice(FREE, { kernel }).to, "vfio-pci");
      equal(override(kernel, FREE), "vfio-pci");
      equal(unbindDevice(FREE, { kernel }).to, undefined);
      equal(override(kernel, FREE), "(null)");
    }
    equal(kernel.openFiles, 0);
  });
});

describe("unbindDevice", () => {
  it("gives a device back to its driver", () => {
    const kernel = new ModelKernel({
      devices: [{
        kind: "pci",
        name: NIC,
        group: 1,
        id: [0x8086, 0x10d3],
        class: 0x020000,
        hostDriver: "e1000e",
        driver: "vfio-pci",
      }],
    });
    const { from, to } = unbindDevice(NIC, { kernel });
    equal([from, to], ["vfio-pci", "e1000e"]);
  });

  it("refuses while the group is open, and then does not", () => {
    const kernel = new ModelKernel();
    {
      using container = Container.open({ kernel });
      using _group = container.attach(BOUND);
      const error = throws(
        () => unbindDevice(BOUND, { kernel }),
        VfioError,
        /fuser \/dev\/vfio\/3/,
      );
      equal(error.code, "EBUSY");
    }
    equal(unbindDevice(BOUND, { kernel }).from, "vfio-pci");
  });

  it("refuses a device that VFIO has not", () => {
    const kernel = new ModelKernel();
    throws(() => unbindDevice(NIC, { kernel }), VfioError, "no driver of VFIO has it, but e1000e");
    throws(() => unbindDevice(FREE, { kernel }), VfioError, "but none at all");
  });
});

const DEVICE = `/sys/bus/pci/devices/${FREE}`;
const HOST: Readonly<Record<string, Entry>> = {
  [`${DEVICE}/subsystem`]: { link: "../../../bus/pci" },
  [`${DEVICE}/iommu_group`]: { link: "../../../kernel/iommu_groups/4" },
  [`${DEVICE}/class`]: "0x00ff00\n",
  [`${DEVICE}/driver`]: { link: "../../../bus/pci/drivers/edu" },
  [`${DEVICE}/driver_override`]: "(null)\n",
  "/sys/bus/pci/drivers/vfio-pci/bind": "",
  "/sys/bus/pci/drivers/edu/unbind": "",
  "/sys/bus/pci/drivers_probe": "",
  [`/sys/kernel/iommu_groups/4/devices/${FREE}/driver`]: { link: "../drivers/edu" },
};

function refusal(entries: Readonly<Record<string, Entry>>): VfioError {
  return throws(() => bindDevice(FREE, { kernel: new FakeSysfs(entries).kernel }), VfioError);
}

describe("bindDevice on a host that does not play along", () => {
  it("says what to load", () => {
    const { "/sys/bus/pci/drivers/vfio-pci/bind": _, ...host } = HOST;
    match(refusal(host).message, /vfio-pci is not loaded; as root: modprobe vfio-pci$/);
  });

  it("says how to switch the IOMMU on", () => {
    const { [`${DEVICE}/iommu_group`]: _, ...host } = HOST;
    match(refusal(host).message, /has no IOMMU group.* intel_iommu=on or amd_iommu=on$/);
  });

  it("refuses a PCI bridge", () => {
    match(refusal({ ...HOST, [`${DEVICE}/class`]: "0x060400\n" }).message, /it is a PCI bridge/);
  });

  it("refuses a disk that something holds", () => {
    const { message, code } = refusal({
      ...HOST,
      "/sys/block/sda": { link: `../devices/pci0000:00/${FREE}/block/sda` },
      "/sys/block/sda/dev": "8:0\n",
      "/dev/sda": { errno: 16 },
    });
    match(message, /something holds sda \(lsblk \/dev\/sda\)$/);
    equal(code, "EBUSY");
  });

  it("says who may", () => {
    for (const errno of [1, 13, 30]) {
      const { message } = refusal({ ...HOST, [`${DEVICE}/driver_override`]: { errno } });
      match(message, /only root may; type: sudo pinscope bind 0000:00:11\.0$/);
    }
  });

  it("puts everything back when vfio-pci does not take the device", () => {
    const host = new FakeSysfs(HOST);
    const error = throws(
      () => bindDevice(FREE, { kernel: host.kernel }),
      VfioError,
      "did not take",
    );
    equal(error.code, "ENODEV");
    equal(host.written, [
      [`${DEVICE}/driver_override`, "vfio-pci\n"],
      ["/sys/bus/pci/drivers/edu/unbind", FREE],
      ["/sys/bus/pci/drivers_probe", FREE],
      // The fake keeps its driver, so nothing has to be probed again.
      [`${DEVICE}/driver_override`, "\n"],
    ]);
  });

  it("tells of a boot display and of neighbours that keep the group from VFIO", () => {
    const host = new FakeSysfs({
      ...HOST,
      [`${DEVICE}/driver`]: { link: "../../../bus/pci/drivers/vfio-pci" },
      [`${DEVICE}/boot_vga`]: "1\n",
      "/sys/kernel/iommu_groups/4/devices/0000:00:11.1/driver": { link: "../drivers/snd_hda" },
    });
    const { blockedBy, isBootDisplay } = bindDevice(FREE, { kernel: host.kernel });
    ok(isBootDisplay);
    equal(blockedBy, [FREE, "0000:00:11.1"]);
  });
});

describe("pinscope bind and unbind", () => {
  it("say what they did", async () => {
    const { code, out, err } = await run(["bind", FREE, "--model"]);
    equal([code, out], [0, `${FREE}: no driver -> vfio-pci (group 4)\n`]);
    match(err, /group 4 is ready; for another user: chown USER \/dev\/vfio\/4/);
    const back = await run(["unbind", BOUND, "--model"]);
    equal([back.code, back.out], [0, `${BOUND}: vfio-pci -> no driver (group 3)\n`]);
    match(back.err, /no driver of the host took the device/);
  });

  it("say what was so already", async () => {
    equal((await run(["bind", BOUND, "--model"])).out, `${BOUND}: vfio-pci already (group 3)\n`);
  });

  it("refuse with 1", async () => {
    for (
      const args of [["bind", DISK], ["bind", NIC], ["unbind", FREE], ["bind", "0000:00:1f.0"]]
    ) {
      const { code, out, err } = await run([...args, "--model"]);
      equal([code, out], [1, ""]);
      match(err, /^pinscope: Cannot (un)?bind 0000:/);
    }
  });

  it("speak JSON", async () => {
    const { out } = await run(["bind", FREE, "--model", "--json"]);
    equal(records(out), [{
      type: "rebound",
      device: FREE,
      group: 4,
      from: null,
      to: "vfio-pci",
      blockedBy: [],
      isBootDisplay: false,
    }]);
  });
});
