import { StraceReader } from "../../../lib/trace/mod.ts";
import { equal } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

/** What a reader makes of lines, those that are no request left out. */
function read(...lines: string[]): unknown[] {
  const reader = new StraceReader();
  return lines.flatMap((line) => {
    const seen = reader.line(line);
    if (seen === undefined) return [];
    const { fd, kind, names, fields, result } = seen;
    return [[fd, kind, names.join(" or "), fields, result]];
  });
}

const MAP = "VFIO_DEVICE_PCI_HOT_RESET or VFIO_IOMMU_MAP_DMA";
const ENOTTY = "-1 ENOTTY (Inappropriate ioctl for device)";
const mapped = [3, "container", "VFIO_IOMMU_MAP_DMA", {}, "0"];

// Every form is one that strace 6.1 wrote for a program that makes these calls.
describe("StraceReader", () => {
  it("knows a descriptor by the call that opened it, until it is closed", () => {
    const lines = [
      'openat(AT_FDCWD, "/dev/vfio/vfio", O_RDWR|O_CLOEXEC) = 3',
      `ioctl(3, ${MAP}, 0x7ffe795b82a0) = 0`,
      "close(3)                                = 0",
      `ioctl(3, ${MAP}, 0x7ffe795b82a0) = -1 EBADF (Bad file descriptor)`,
    ];
    equal(read(...lines), [mapped, [
      3,
      undefined,
      "VFIO_IOMMU_MAP_DMA or VFIO_DEVICE_PCI_HOT_RESET",
      {},
      "EBADF",
    ]]);
  });

  const same = [
    `ioctl(3</dev/vfio/vfio>, ${MAP}, 0x7ffc6175d4a0) = 0`,
    `ioctl(3</dev/vfio/vfio<char 10:196>>, ${MAP}, 0x7ffc6175d4a0) = 0`,
    `22:08:00.089093 ioctl(3</dev/vfio/vfio>, 0x3b71 /* ${MAP} */, 0x7ffc6175d4a0) = 0`,
    `[pid  4711] ioctl(3</dev/vfio/vfio>, ${MAP}, 0x7ffc6175d4a0) = 0`,
    `4711  1700000000.123456 ioctl(3</dev/vfio/vfio>, ${MAP}, 0x7ffc6175d4a0) = 0`,
    "     0.000030 ioctl(3</dev/vfio/vfio>, 0x3b71, 0x7ffc6175d4a0) = 0",
    "ioctl(0x3</dev/vfio/vfio>, _IOC(_IOC_NONE, 0x3b, 0x71, 0), 0x7ffc6175d4a0) = 0",
  ];
  for (const line of same) it(`reads ${line}`, () => equal(read(line), [mapped]));

  it("understands paths that -xx writes in hexadecimal, and the number of powerpc", () => {
    const path = "\\x2f\\x64\\x65\\x76\\x2f\\x76\\x66\\x69\\x6f\\x2f\\x76\\x66\\x69\\x6f";
    equal(
      read(
        `openat(-100, "${path}", 0x80002) = 3`,
        "ioctl(3, _IOC(_IOC_NONE, 0x3b, 0x71, 0x2000), 0x7ffc) = 0",
      ),
      [mapped],
    );
  });

  it("decodes values, and bytes that stand in quotes", () => {
    equal(
      read(
        `ioctl(3, VFIO_CHECK_EXTENSION, 0x3)     = ${ENOTTY}`,
        'ioctl(4, VFIO_GROUP_GET_DEVICE_FD, "0000:00:10.0") = 5',
        "ioctl(5, VFIO_DEVICE_RESET) = 0",
        `ioctl(5, ${MAP}, 0x7ffc) = -1 EPERM (Operation not permitted)`,
      ),
      [
        [3, "container", "VFIO_CHECK_EXTENSION", { argument: "TYPE1v2 (3)" }, "ENOTTY"],
        [4, "group", "VFIO_GROUP_GET_DEVICE_FD", { argument: '"0000:00:10.0"' }, "5"],
        [5, "device", "VFIO_DEVICE_RESET", {}, "0"],
        [5, "device", "VFIO_DEVICE_PCI_HOT_RESET", {}, "EPERM"],
      ],
    );
  });

  it("learns from requests that only one kind has", () => {
    equal(
      read("ioctl(3, VFIO_SET_IOMMU, 0x3) = 0", `ioctl(3, ${MAP}, 0x7ffc) = 0`).at(1),
      mapped,
    );
    equal(read("ioctl(7, _IOC(_IOC_NONE, 0x3b, 0x81, 0), 0x7ffc) = 0"), [
      [7, "iommufd", "IOMMU_IOAS_ALLOC", {}, "0"],
    ]);
  });

  it("does not take an eventfd for a container", () => {
    const line = "ioctl(4<anon_inode:[eventfd]>, VFIO_SET_IOMMU, 0x3) = " + ENOTTY;
    equal(read(line), [[4, undefined, "VFIO_SET_IOMMU", { argument: "TYPE1v2 (3)" }, "ENOTTY"]]);
    const device = "ioctl(4<anon_inode:[vfio-device]>, 0x3b70, 0x7ffc) = 0";
    equal(read(device), [[4, "device", "VFIO_DEVICE_GET_PCI_HOT_RESET_INFO", {}, "0"]]);
  });

  it("joins a call that another process came between", () => {
    equal(
      read(
        "[pid 12] ioctl(3, VFIO_GROUP_UNSET_CONTAINER <unfinished ...>",
        "[pid 13] ioctl(4, VFIO_GROUP_GET_STATUS, 0x7ffc) = 0",
        "[pid 12] <... ioctl resumed>)            = -1 EBUSY (Device or resource busy)",
        "[pid 14] <... ioctl resumed>) = 0",
      ),
      [
        [4, "group", "VFIO_GROUP_GET_STATUS", {}, "0"],
        [3, "group", "VFIO_GROUP_UNSET_CONTAINER", {}, "EBUSY"],
      ],
    );
  });

  const others = [
    "",
    "+++ exited with 0 +++",
    "--- SIGCHLD {si_signo=SIGCHLD} ---",
    "eventfd2(0, EFD_CLOEXEC)                = 4",
    "ioctl(1, TCGETS, {B38400 opost isig icanon echo ...}) = 0",
    "ioctl(1, _IOC(_IOC_READ, 0x54, 0x30, 0x4), 0x7ffc) = 0",
    "ioctl(",
  ];
  for (const line of others) it(`passes over ${JSON.stringify(line)}`, () => equal(read(line), []));

  it("names a request that nobody has by its number", () => {
    equal(read("ioctl(3, _IOC(_IOC_NONE, 0x3b, 0xf0, 0), 0x7ffc) = ?"), [
      [3, undefined, "0x3bf0", {}, undefined],
    ]);
  });
});
