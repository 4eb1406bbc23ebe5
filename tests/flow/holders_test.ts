import { Container, listHolders } from "../../mod.ts";
import { ModelKernel } from "../../lib/model/mod.ts";
import { equal } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const PCI = "0000:00:10.0";

describe("the processes that hold VFIO", () => {
  it("are found with their containers, groups and devices", () => {
    const kernel = new ModelKernel({
      processes: [
        { pid: 1, name: "systemd", lockedKiB: 0n, pinnedKiB: 0n },
        {
          pid: 77,
          name: "vmm",
          lockedKiB: 8n,
          pinnedKiB: 0n,
          files: { 3: "/dev/null", 4: "/dev/vfio/vfio", 9: "/dev/iommu" },
        },
      ],
    });
    using container = Container.open({ kernel });
    using other = Container.open({ kernel });
    using group = container.attach(PCI);
    using device = group.device();
    equal(other.groups.length, 0);
    const { holders, forbidden, vanished, notes } = listHolders({ kernel });
    equal(holders.map(({ pid, pins }) => [pid, pins?.command, pins?.locked]), [
      [77, "vmm", 8192n],
      [4242, "deno", 0n],
    ]);
    const [vmm, self] = holders;
    equal([vmm?.containers.map(({ fds }) => fds), vmm?.iommufds], [[[4]], [9]]);
    equal(self?.containers.map(({ fds }) => fds), [[3], [4]]);
    equal(new Set(holders.flatMap((h) => h.containers.map(({ id }) => id))).size, 3);
    equal(self?.groups.map((g) => [g.number, g.devices?.map(({ name }) => name)]), [[3, [PCI]]]);
    equal(self?.devices, [{ fd: device.fd, name: undefined }]);
    equal([forbidden, vanished], [[], [1]]); // the model shows no descriptors of process 1
    equal(notes.length, 3);
  });

  it("are nobody on a quiet host", () => {
    const { holders, notes } = listHolders({ kernel: new ModelKernel({ processes: [] }) });
    equal([holders, notes], [[], []]);
  });

  it("can be looked for on this host", () => {
    const { holders } = listHolders();
    equal(holders.filter(({ pid }) => pid === Deno.pid), []);
  });
});
