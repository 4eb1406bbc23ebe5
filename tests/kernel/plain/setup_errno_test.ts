/** What the steps of the set-up answer to bad requests, raw. */
import { rawLinux as linux } from "../../../mod.ts";
import * as uapi from "../../../lib/uapi/mod.ts";
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { EDU, EDU2, LOW, PAGE } from "../support/machine.ts";
import { Places } from "../support/place.ts";
import { answer, must, openFile, openGroup, RawContainer, setContainer } from "../support/raw.ts";

const V2 = BigInt(uapi.VFIO_TYPE1v2_IOMMU);
const CONTAINER = "/dev/vfio/vfio";
const UNKNOWN = 0x3bff;

const setIommu = (fd: number, type: bigint): number =>
  linux.ioctlValue(fd, uapi.VFIO_SET_IOMMU, type);
const getDevice = (fd: number, name: string): number =>
  linux.ioctlBuffer(fd, uapi.VFIO_GROUP_GET_DEVICE_FD, new TextEncoder().encode(`${name}\0`));
const status = (fd: number, argsz = 8): { result: number; flags: number } => {
  const bytes = Uint32Array.of(argsz, 0);
  const result = linux.ioctlBuffer(fd, uapi.VFIO_GROUP_GET_STATUS, new Uint8Array(bytes.buffer));
  return { result, flags: bytes[1]! };
};

/** The stages of a set-up. */
interface Stage {
  container: number;
  group: number;
}

function withStage(joined: boolean, body: (at: Stage) => void): void {
  using container = openFile(CONTAINER);
  using group = openGroup();
  using _leave = {
    [Symbol.dispose]: () => void linux.ioctl(group.fd, uapi.VFIO_GROUP_UNSET_CONTAINER),
  };
  if (joined) must(setContainer(group.fd, container.fd), "SET_CONTAINER");
  body({ container: container.fd, group: group.fd });
}

type Row = [name: string, answer: string, call: (at: Stage) => number];

const apart: Row[] = [
  [
    "the version of the interface",
    "OK",
    (at) => linux.ioctl(at.container, uapi.VFIO_GET_API_VERSION),
  ],
  ["SET_IOMMU without a group", "EINVAL", (at) => setIommu(at.container, V2)],
  [
    "GET_INFO without an IOMMU",
    "EINVAL",
    (at) => linux.ioctlBuffer(at.container, uapi.VFIO_IOMMU_GET_INFO, new Uint8Array(24)),
  ],
  ["an unknown request before SET_IOMMU", "EINVAL", (at) => linux.ioctl(at.container, UNKNOWN)],
  ["an unknown request to a group", "ENOTTY", (at) => linux.ioctl(at.group, UNKNOWN)],
  [
    "UNSET_CONTAINER of a group without one",
    "EINVAL",
    (at) => linux.ioctl(at.group, uapi.VFIO_GROUP_UNSET_CONTAINER),
  ],
  ["SET_CONTAINER to file -1", "EBADF", (at) => setContainer(at.group, -1)],
  ["SET_CONTAINER to a group", "EBADFD", (at) => setContainer(at.group, at.group)],
  [
    "SET_CONTAINER from a NULL pointer",
    "EFAULT",
    (at) => linux.ioctlBuffer(at.group, uapi.VFIO_GROUP_SET_CONTAINER, new Uint8Array(0)),
  ],
  ["GET_DEVICE_FD without a container", "EINVAL", (at) => getDevice(at.group, EDU)],
  ["GET_STATUS with argsz 7", "EINVAL", (at) => status(at.group, 7).result],
];

const joined: Row[] = [
  ["SET_CONTAINER again", "EINVAL", (at) => setContainer(at.group, at.container)],
  ["GET_DEVICE_FD before SET_IOMMU", "EINVAL", (at) => getDevice(at.group, EDU)],
  ["SET_IOMMU v2", "OK", (at) => setIommu(at.container, V2)],
  ["SET_IOMMU v1", "OK", (at) => setIommu(at.container, 1n)],
  ["SET_IOMMU SPAPR, which no driver claims", "ENODEV", (at) => setIommu(at.container, 2n)],
  ["SET_IOMMU NOIOMMU", "ENODEV", (at) => setIommu(at.container, 8n)],
  ["SET_IOMMU 999", "ENODEV", (at) => setIommu(at.container, 999n)],
  ["SET_IOMMU 6, once nesting", "EINVAL", (at) => setIommu(at.container, 6n)],
  ["SET_IOMMU 9, an extension that is no type", "EINVAL", (at) => setIommu(at.container, 9n)],
];

describe("set-up, raw, before a group joins", () => {
  for (const [name, wanted, call] of apart) {
    it(`${name}: ${wanted}`, () => withStage(false, (at) => equal(answer(call(at)), wanted)));
  }

  it("SET_CONTAINER to a file that is no container: EBADFD", () => {
    withStage(false, (at) => {
      using file = openFile("/dev/null");
      equal(answer(setContainer(at.group, file.fd)), "EBADFD");
    });
  });

  it("opening a group twice: EBUSY", () => {
    using _first = openGroup();
    const node = linux.readlink(`/proc/self/fd/${_first.fd}`);
    equal(answer(linux.open(String(node), 2)), "EBUSY");
  });

  it("a group that is alone is viable, and says when it has a container", () => {
    withStage(false, (at) => {
      equal(status(at.group), { result: 0, flags: 1 });
      must(setContainer(at.group, at.container), "SET_CONTAINER");
      equal(status(at.group), { result: 0, flags: 3 });
    });
  });
});

describe("set-up, raw, with a group in the container", () => {
  for (const [name, wanted, call] of joined) {
    it(`${name}: ${wanted}`, () => withStage(true, (at) => equal(answer(call(at)), wanted)));
  }
});

describe("set-up, raw, with an IOMMU", () => {
  const rows: Row[] = [
    ["SET_IOMMU twice", "EINVAL", (at) => setIommu(at.container, V2)],
    ["a device that the group does not have", "ENODEV", (at) => getDevice(at.group, EDU2)],
    ["a device that nobody has", "ENODEV", (at) => getDevice(at.group, "nobody")],
    ["an unknown request", "ENOTTY", (at) => linux.ioctl(at.container, UNKNOWN)],
    [
      "GET_INFO from a NULL pointer",
      "EFAULT",
      (at) => linux.ioctlBuffer(at.container, uapi.VFIO_IOMMU_GET_INFO, new Uint8Array(0)),
    ],
    ["SET_CONTAINER again", "EINVAL", (at) => setContainer(at.group, at.container)],
  ];
  for (const [name, wanted, call] of rows) {
    it(`${name}: ${wanted}`, () => {
      using raw = new RawContainer();
      equal(answer(call({ container: raw.fd, group: raw.group })), wanted);
    });
  }

  it("UNSET_CONTAINER with an open device: EBUSY", () => {
    using raw = new RawContainer();
    const device = must(getDevice(raw.group, EDU), "GET_DEVICE_FD");
    equal(answer(linux.ioctl(raw.group, uapi.VFIO_GROUP_UNSET_CONTAINER)), "EBUSY");
    must(linux.close(device), "close");
    equal(answer(linux.ioctl(raw.group, uapi.VFIO_GROUP_UNSET_CONTAINER)), "OK");
  });

  it("a group joins while mappings have no address: EBUSY", () => {
    using places = new Places();
    using raw = new RawContainer();
    using other = openGroup(EDU2);
    const request = { argsz: 32, vaddr: places.good, iova: LOW, size: PAGE };
    must(raw.map({ ...request, flags: 3 }), "MAP");
    const { iova, size } = request;
    const fields = { argsz: 24, iova, size, pgsize: 0n, bitmap_size: 0n, data: 0n };
    must(raw.unmap({ ...fields, flags: 4 }).result, "UNMAP with VADDR");
    equal(answer(setContainer(other.fd, raw.fd)), "EBUSY");
    equal(answer(raw.map({ ...request, flags: 4 })), "OK", "the address comes back");
    equal(answer(setContainer(other.fd, raw.fd)), "OK");
    must(linux.ioctl(other.fd, uapi.VFIO_GROUP_UNSET_CONTAINER), "UNSET_CONTAINER");
  });

  it("after the last group every request is EINVAL, mappings and tracking are gone", () => {
    using places = new Places();
    using raw = new RawContainer();
    must(raw.map({ argsz: 32, flags: 3, vaddr: places.good, iova: LOW, size: PAGE }), "MAP");
    must(raw.dirtySwitch(1), "START");
    must(linux.ioctl(raw.group, uapi.VFIO_GROUP_UNSET_CONTAINER), "UNSET_CONTAINER");
    equal(answer(raw.info(24).result), "EINVAL");
    equal(answer(raw.dirtySwitch(1)), "EINVAL");
    must(setContainer(raw.group, raw.fd), "SET_CONTAINER");
    must(setIommu(raw.fd, V2), "SET_IOMMU");
    const all = { argsz: 24, flags: 2, iova: 0n, size: 0n, pgsize: 0n, bitmap_size: 0n, data: 0n };
    equal(raw.unmap(all), { result: 0, size: 0n });
    const get = { argsz: 48, flags: 4, iova: LOW, size: PAGE, pgsize: PAGE, bitmap_size: 8n };
    equal(answer(raw.dirty({ ...get, data: places.good })), "EINVAL", "not started");
  });
});
