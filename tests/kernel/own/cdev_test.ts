/** Devices opened by their own nodes, bound to an iommufd: what works and what is refused. */
import { Container, errnoName, Iommufd, rawLinux as linux } from "../../../mod.ts";
import {
  IOMMU_IOAS_MAP,
  iommu_ioas_map,
  VFIO_DEVICE_ATTACH_IOMMUFD_PT,
  vfio_device_attach_iommufd_pt_v6_6,
  VFIO_DEVICE_BIND_IOMMUFD,
  vfio_device_bind_iommufd_v6_6,
  VFIO_DEVICE_GET_INFO,
  vfio_device_info,
} from "../../../lib/uapi/mod.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { EDU, EDU2, LOW, MiB, vtd } from "../support/machine.ts";
import { answer, openFile } from "../support/raw.ts";
import { refused } from "../support/refused.ts";
import { sinceSeven } from "../support/release.ts";

/** The node of a device. */
function node(device: string = EDU): string {
  const names = linux.list(`/sys/bus/pci/devices/${device}/vfio-dev`);
  if (typeof names === "number") throw new Error(`${device}: ${errnoName(-names)}`);
  return `/dev/vfio/devices/${names[0]}`;
}

function bind(device: number, fields: { iommufd: number; argsz?: number; flags?: number }): string {
  const request = vfio_device_bind_iommufd_v6_6.create();
  const argsz = vfio_device_bind_iommufd_v6_6.size;
  Object.assign(request.fields, { argsz, flags: 0, ...fields });
  return answer(linux.ioctlBuffer(device, VFIO_DEVICE_BIND_IOMMUFD, request.bytes));
}

function info(device: number): string {
  const request = vfio_device_info.create();
  request.fields.argsz = vfio_device_info.size;
  return answer(linux.ioctlBuffer(device, VFIO_DEVICE_GET_INFO, request.bytes));
}

function attach(device: number, target: number): string {
  const request = vfio_device_attach_iommufd_pt_v6_6.create();
  const argsz = vfio_device_attach_iommufd_pt_v6_6.size;
  Object.assign(request.fields, { argsz, pt_id: target });
  return answer(linux.ioctlBuffer(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, request.bytes));
}

describe("a device's own node, raw", () => {
  it("answers EINVAL to everything before it is bound", () => {
    using device = openFile(node());
    equal(info(device.fd), "EINVAL");
    equal(attach(device.fd, 1), "EINVAL");
  });

  it("is bound once, to an iommufd that is one", () => {
    using iommufd = Iommufd.open();
    using device = openFile(node());
    using other = openFile("/dev/null");
    equal(bind(device.fd, { iommufd: -1 }), "EINVAL");
    equal(bind(device.fd, { iommufd: iommufd.fd, flags: 2 }), "EINVAL");
    equal(bind(device.fd, { iommufd: iommufd.fd, argsz: 15 }), "EINVAL");
    equal(bind(device.fd, { iommufd: other.fd }), "EBADFD");
    equal(bind(device.fd, { iommufd: 999 }), "EBADF");
    equal(bind(device.fd, { iommufd: iommufd.fd }), "OK");
    equal(bind(device.fd, { iommufd: iommufd.fd }), "EINVAL");
    equal(info(device.fd), "OK");
    equal(attach(device.fd, 0x7777), "ENOENT");
  });

  it("is bound by a longer struct: bytes past what the kernel knows are E2BIG where it looks", () => {
    using iommufd = Iommufd.open();
    using device = openFile(node());
    const long = (last: number): string => {
      const request = vfio_device_bind_iommufd_v6_6.create(64);
      Object.assign(request.fields, { argsz: request.bytes.length, iommufd: iommufd.fd });
      request.bytes[request.bytes.length - 1] = last;
      return answer(linux.ioctlBuffer(device.fd, VFIO_DEVICE_BIND_IOMMUFD, request.bytes));
    };
    // Before 7 the kernel reads the 16 bytes that it knows, and no others.
    if (sinceSeven()) equal(long(1), "E2BIG");
    equal(long(sinceSeven() ? 0 : 1), "OK");
    equal(info(device.fd), "OK");
  });
});

describe("iommufd.bind", () => {
  it("attaches to an address space, maps, and detaches", () => {
    using iommufd = Iommufd.open();
    using device = iommufd.bind(EDU);
    equal([device.name, info(device.fd)], [EDU, "OK"]);
    using space = iommufd.addressSpace();
    using memory = iommufd.allocate(MiB);
    using mapping = space.map(memory, { iova: LOW });
    const attachment = device.attach(space);
    ok(attachment.pageTableId !== space.id, "the kernel has made a page table");
    const { msi: [first, last], addressBits } = vtd();
    equal(space.ranges(), {
      ranges: [
        { start: 0n, end: first - 1n },
        { start: last + 1n, end: (1n << addressBits) - 1n },
      ],
      alignment: 4096n,
    });
    throws(() => device.attach(space), ReferenceError, "attached already");
    attachment[Symbol.dispose]();
    equal(device.attachment, undefined);
    equal(space.ranges().alignment, 1n, "as without devices");
    using _again = device.attach(space);
    equal(mapping.isMapped, true);
  });

  it("attaches to a page table, which goes after the attachment", () => {
    using iommufd = Iommufd.open();
    using one = iommufd.bind(EDU);
    using two = iommufd.bind(EDU2);
    using space = iommufd.addressSpace();
    const table = space.pageTable(one);
    equal(one.attach(table).pageTableId, table.id);
    equal(two.attach(table).pageTableId, table.id);
    table[Symbol.dispose]();
    equal([one.attachment, two.attachment], [undefined, undefined]);
  });

  it("releases all in the right order when only the iommufd is disposed", () => {
    const iommufd = Iommufd.open();
    const device = iommufd.bind(EDU);
    const space = iommufd.addressSpace();
    using memory = iommufd.allocate(MiB);
    space.map(memory, { iova: LOW });
    device.attach(space);
    iommufd[Symbol.dispose]();
    equal(memory.isMapped, false);
    throws(() => device.fd, ReferenceError, "closed");
  });

  it("says that the emulated VT-d tracks no dirty pages", () => {
    using iommufd = Iommufd.open();
    using device = iommufd.bind(EDU);
    const hardware = iommufd.hardwareInfo(device);
    equal([hardware.type, hardware.dirtyTracking, hardware.data.length], ["intel-vtd", false, 24]);
    using space = iommufd.addressSpace();
    refused(() => space.pageTable(device, { dirtyTracking: true }), {
      code: "EOPNOTSUPP",
      operation: "IOMMU_HWPT_ALLOC",
      text: "hardwareInfo(device).dirtyTracking",
    });
    using plain = space.pageTable(device);
    refused(() => plain.setDirtyTracking(true), {
      code: "EOPNOTSUPP",
      operation: "IOMMU_HWPT_SET_DIRTY_TRACKING",
      text: "made with dirtyTracking",
    });
  });

  it("does not map the memory of a device: EFAULT, at the map or at the attach", () => {
    using iommufd = Iommufd.open();
    using device = iommufd.bind(EDU);
    // BAR 0 by a user's address, as type1 would map it for another device.
    const bar = linux.mmap(0x1000n, 3, 1, device.fd, 0n);
    if (typeof bar === "number") throw new Error(`mmap of BAR 0: ${errnoName(-bar)}`);
    try {
      const mapBar = (space: { id: number }): string => {
        const { bytes, fields } = iommu_ioas_map.create();
        const size = iommu_ioas_map.size;
        Object.assign(fields, { size, flags: 7, ioas_id: space.id, user_va: bar });
        Object.assign(fields, { length: 0x1000n, iova: LOW });
        return answer(iommufd.rawIoctl(IOMMU_IOAS_MAP, bytes));
      };
      using space = iommufd.addressSpace();
      equal(mapBar(space), "OK", "nothing is pinned yet");
      refused(() => device.attach(space), {
        code: "EFAULT",
        operation: "VFIO_DEVICE_ATTACH_IOMMUFD_PT",
        text: "cannot be pinned",
      });
      refused(() => space.pageTable(device), {
        code: "EFAULT",
        operation: "IOMMU_HWPT_ALLOC",
        text: "cannot be pinned",
      });
      using other = iommufd.addressSpace();
      using _attachment = device.attach(other);
      equal(mapBar(other), "EFAULT");
    } finally {
      linux.munmap(bar, 0x1000n);
    }
  });

  it("goes by the group or by itself, not both", () => {
    using iommufd = Iommufd.open();
    {
      using container = Container.open();
      using _group = container.attach(EDU);
      refused(() => iommufd.bind(EDU), {
        code: "EBUSY",
        operation: "VFIO_DEVICE_BIND_IOMMUFD",
        text: "its group or by itself",
      });
    }
    using _device = iommufd.bind(EDU);
    using container = Container.open();
    const error = throws(() => container.attach(EDU), Error);
    ok(/EBUSY/.test(error.message), error.message);
  });

  it("says what is missing of a device", () => {
    using iommufd = Iommufd.open();
    const operation = "open";
    refused(() => iommufd.bind("0000:00:1f.7"), {
      code: "ENODEV",
      operation,
      text: "no such device",
    });
    refused(() => iommufd.bind("0000:00:00.0"), {
      code: "ENODEV",
      operation,
      text: "bind it to vfio-pci",
    });
    throws(() => iommufd.bind("../x"), TypeError, "PCI address");
  });
});
