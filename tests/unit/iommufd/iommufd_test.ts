import { Iommufd, VfioError } from "../../../mod.ts";
import { equal, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { fakeKernel, type FakeOptions } from "./fake.ts";

const PAGE = 4096n;

/** What a refusal says, when the request `name` is refused. */
function message(
  refuse: Readonly<Record<string, number>>,
  body: (iommufd: Iommufd) => void,
): string {
  const { kernel } = fakeKernel({ refuse });
  const error = throws(() => {
    using iommufd = Iommufd.open({ kernel });
    body(iommufd);
  }, VfioError);
  return error.message;
}

const open = (options?: FakeOptions): [Iommufd, string[]] => {
  const { kernel, asked } = fakeKernel(options);
  return [Iommufd.open({ kernel }), asked];
};

describe("an iommufd", () => {
  it("destroys what it made, the youngest first, and closes", () => {
    const [iommufd, asked] = open();
    const device = iommufd.bind("0000:00:10.0");
    const space = iommufd.addressSpace();
    const memory = iommufd.allocate(PAGE);
    const mapping = space.map(memory);
    const table = space.pageTable(device, { dirtyTracking: true });
    equal(device.attach(table).pageTableId, table.id + 100);
    asked.length = 0;
    iommufd[Symbol.dispose]();
    iommufd[Symbol.dispose]();
    equal(asked, [
      "VFIO_DEVICE_DETACH_IOMMUFD_PT",
      "IOMMU_DESTROY",
      "IOMMU_DESTROY",
      "close device",
      "close",
    ]);
    equal([mapping.isMapped, memory.isMapped, device.attachment], [false, false, undefined]);
    memory.free();
    throws(() => iommufd.addressSpace(), ReferenceError, "closed");
    throws(() => device.fd, ReferenceError, "closed");
    throws(() => table.setDirtyTracking(true), ReferenceError, "it is gone");
  });

  it("detaches a device that is disposed first, once", () => {
    const [iommufd, asked] = open();
    using _iommufd = iommufd;
    using space = iommufd.addressSpace();
    const device = iommufd.bind("0000:00:10.0");
    const attachment = device.attach(space);
    throws(() => device.attach(space), ReferenceError, "attached already");
    asked.length = 0;
    device[Symbol.dispose]();
    attachment[Symbol.dispose]();
    equal(asked, ["VFIO_DEVICE_DETACH_IOMMUFD_PT", "close device"]);
  });

  it("gives an address space back whose options are refused", () => {
    const { kernel, asked } = fakeKernel({ refuse: { IOMMU_IOAS_ALLOW_IOVAS: 98 } });
    using iommufd = Iommufd.open({ kernel });
    throws(() => iommufd.addressSpace({ allow: [{ start: 0n, end: 9n }] }), VfioError, "reserves");
    equal(asked.at(-1), "IOMMU_DESTROY");
  });

  it("has an account, and says who may choose it", () => {
    const [iommufd] = open();
    using _iommufd = iommufd;
    equal(iommufd.account, "user");
    iommufd.account = "process";
    equal(iommufd.account, "process");
    throws(() => void (iommufd.account = "all" as "user"), TypeError, "account must be");
    const refusal = message({ IOMMU_OPTION: 1 }, (other) => void (other.account = "user"));
    equal(refusal.includes("CAP_SYS_RESOURCE"), true, refusal);
  });

  it("reads what the IOMMU says, again where it says more than there was room for", () => {
    const { kernel, asked } = fakeKernel({ capabilities: 0xdn, dataBytes: 80 });
    using iommufd = Iommufd.open({ kernel });
    const info = iommufd.hardwareInfo({ id: 1 });
    equal(asked.filter((name) => name === "IOMMU_GET_HW_INFO").length, 2);
    equal(info.data, new Uint8Array(80).fill(7));
    equal([info.type, info.dirtyTracking, info.pasidExec, info.pasidPrivileged, info.ats], [
      "intel-vtd",
      true,
      false,
      true,
      false,
    ]);
  });

  it("refuses devices that are none, before it looks", () => {
    const [iommufd, asked] = open();
    using _iommufd = iommufd;
    asked.length = 0;
    throws(() => iommufd.bind("../../x"), TypeError, "PCI address");
    throws(() => iommufd.bind(5 as unknown as string), TypeError, "device must be a string");
    throws(() => iommufd.bind("0000:00:1f.0"), VfioError, "ENODEV");
    equal(asked, []);
  });
});

describe("a refusal of iommufd", () => {
  const bind = (iommufd: Iommufd): void => void iommufd.bind("0000:00:10.0");
  const attach = (iommufd: Iommufd): void =>
    void iommufd.bind("0000:00:10.0").attach(iommufd.addressSpace());
  const map = (iommufd: Iommufd): void => {
    using memory = iommufd.allocate(PAGE);
    iommufd.addressSpace().map(memory, { iova: PAGE });
  };
  const mapFile = (iommufd: Iommufd): void =>
    void iommufd.addressSpace().mapFile(3, { size: PAGE, offset: PAGE });
  const table = (iommufd: Iommufd): void =>
    void iommufd.addressSpace().pageTable({ id: 1 }, { dirtyTracking: true });
  const plainTable = (iommufd: Iommufd): void => void iommufd.addressSpace().pageTable({ id: 1 });
  const track = (iommufd: Iommufd): void =>
    iommufd.addressSpace().pageTable({ id: 1 }).setDirtyTracking(true);
  const cases: readonly [string, number, (iommufd: Iommufd) => void, string][] = [
    ["open", 2, () => {}, "CONFIG_IOMMUFD"],
    ["open", 13, () => {}, "chmod 666"],
    ["open", 5, () => {}, "EIO (5)"],
    ["VFIO_DEVICE_BIND_IOMMUFD", 16, bind, "its group or by itself, not both"],
    ["VFIO_DEVICE_BIND_IOMMUFD", 1, bind, "allow_unsafe_interrupts"],
    ["VFIO_DEVICE_BIND_IOMMUFD", 22, bind, "bound already"],
    ["VFIO_DEVICE_BIND_IOMMUFD", 5, bind, "EIO (5)"],
    ["VFIO_DEVICE_ATTACH_IOMMUFD_PT", 2, attach, "no such address space"],
    ["VFIO_DEVICE_ATTACH_IOMMUFD_PT", 12, attach, "RLIMIT_MEMLOCK"],
    ["VFIO_DEVICE_ATTACH_IOMMUFD_PT", 16, attach, "being reset"],
    ["VFIO_DEVICE_ATTACH_IOMMUFD_PT", 22, attach, "does not fit the device"],
    ["VFIO_DEVICE_ATTACH_IOMMUFD_PT", 98, attach, "its interrupts are"],
    ["VFIO_DEVICE_ATTACH_IOMMUFD_PT", 5, attach, "EIO (5)"],
    ["IOMMU_IOAS_MAP", 12, map, "RLIMIT_MEMLOCK"],
    ["IOMMU_IOAS_MAP", 28, map, "no gap"],
    ["IOMMU_IOAS_MAP", 17, map, "another mapping"],
    ["IOMMU_IOAS_MAP", 14, map, "cannot be pinned"],
    ["IOMMU_IOAS_MAP", 2, map, "the address space is gone"],
    ["IOMMU_IOAS_MAP", 22, map, "reserved"],
    ["IOMMU_IOAS_MAP", 5, map, "EIO (5)"],
    ["IOMMU_IOAS_MAP_FILE", 25, mapFile, "before v6.13"],
    ["IOMMU_IOAS_MAP_FILE", 22, mapFile, "no memfd"],
    ["IOMMU_HWPT_ALLOC", 95, table, "hardwareInfo(device).dirtyTracking"],
    ["IOMMU_HWPT_ALLOC", 95, plainTable, "no page tables on demand"],
    ["IOMMU_HWPT_ALLOC", 2, table, "not bound to this iommufd"],
    ["IOMMU_HWPT_ALLOC", 22, table, "do not fit"],
    ["IOMMU_HWPT_ALLOC", 98, table, "cannot translate"],
    ["IOMMU_HWPT_SET_DIRTY_TRACKING", 95, track, "made with dirtyTracking"],
    ["IOMMU_HWPT_SET_DIRTY_TRACKING", 2, track, "no such page table"],
    ["IOMMU_IOAS_IOVA_RANGES", 2, (i) => void i.addressSpace().ranges(), "usable addresses"],
    ["IOMMU_GET_HW_INFO", 2, (i) => void i.hardwareInfo({ id: 9 }), "IOMMU of device 9"],
  ];
  for (const [request, errno, body, text] of cases) {
    it(`${request} ${errno}: ${text}`, () => {
      const refusal = message({ [request]: errno }, body);
      equal(refusal.includes(text), true, refusal);
    });
  }

  it("leaves no file open", () => {
    const { kernel, asked } = fakeKernel({ refuse: { VFIO_DEVICE_BIND_IOMMUFD: 16 } });
    {
      using iommufd = Iommufd.open({ kernel });
      throws(() => iommufd.bind("0000:00:10.0"), VfioError);
      equal(asked.at(-1), "close device");
    }
    equal(asked.at(-1), "close");
  });
});
