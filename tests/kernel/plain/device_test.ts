/** A device's regions: what there is, registers by read and write, registers in memory. */
import { Container, type Device, type Group, VfioError } from "../../../mod.ts";
import { MAP_SHARED, PROT_READ } from "../../../lib/sys/constant.ts";
import { VFIO_DEVICE_GET_INFO } from "../../../lib/uapi/mod.ts";
import { equal, throws } from "../../std/assert.ts";
import { describe, skip } from "../../std/testing.ts";
import { Edu, EDU_ID, REGISTER, until } from "../support/edu.ts";
import { it } from "../support/guard.ts";
import { EDU, MiB, PAGE } from "../support/machine.ts";
import { must } from "../support/raw.ts";
import { refused } from "../support/refused.ts";

type Body = (device: Device, group: Group, container: Container) => void | Promise<void>;

const withDevice = (body: Body) => async (): Promise<void> => {
  using container = Container.open();
  using group = container.attach(EDU);
  using device = group.device();
  await body(device, group, container);
};

describe("a device", () => {
  it(
    "tells what it is",
    withDevice((device) => {
      equal(device.info(), { regions: 9, irqs: 5, canReset: false, isPci: true, flags: 2 });
      const sizes = Array.from({ length: 8 }, (_, index) => device.region(index).info.size);
      equal(sizes, [MiB, 0n, 0n, 0n, 0n, 0n, 0n, 256n]);
    }),
  );

  it(
    "has a BAR that can be mapped, and a configuration space that cannot",
    withDevice((device) => {
      const { offset: _, ...bar } = device.region(0).info;
      equal(bar, {
        index: 0,
        size: MiB,
        canRead: true,
        canWrite: true,
        canMap: true,
        mappable: undefined,
        type: undefined,
      });
      const config = device.region(7);
      equal([config.info.canRead, config.info.canWrite, config.info.canMap], [true, true, false]);
      equal([config.read32(0).toString(16), config.read(8, 1)[0]], ["11e81234", 0x10]);
      throws(() => config.map(), TypeError, "Region 7 of 0000:00:10.0 cannot be mapped; read it");
    }),
  );

  it(
    "has no region 8, and says so",
    withDevice((device) => {
      refused(() => device.region(8), {
        code: "EINVAL",
        operation: "VFIO_DEVICE_GET_REGION_INFO",
        rule: "device.region-index",
        text: "Cannot read region 8 of 0000:00:10.0: VFIO_DEVICE_GET_REGION_INFO failed with " +
          "EINVAL (22): the device has no region 8",
      });
    }),
  );

  it(
    "offers the features of vfio-pci, and no migration",
    withDevice((device) => {
      const no = { get: false, set: false };
      const set = { get: false, set: true };
      const found = Array.from({ length: 11 }, (_, index) => device.feature(index));
      // 3, 4 and 5 are low power: entry, entry with wake-up, exit.
      equal(found, [no, no, no, set, set, set, no, no, no, no, no]);
    }),
  );

  it(
    "that cannot be reset says so",
    withDevice((device) => {
      refused(() => device.reset(), {
        code: "EINVAL",
        operation: "VFIO_DEVICE_RESET",
        text: "Cannot reset 0000:00:10.0: VFIO_DEVICE_RESET failed with EINVAL (22): the device " +
          "offers no reset",
      });
    }),
  );

  skip(
    "that can be reset is reset",
    "edu has neither a function level reset nor power states; it needs a machine with e1000e",
  );

  it(
    "of another group is not found in this one",
    withDevice((_device, group) => {
      refused(() => group.device("0000:00:11.0"), {
        code: "ENODEV",
        operation: "VFIO_GROUP_GET_DEVICE_FD",
        rule: "group.device",
        text: /Cannot open device 0000:00:11.0 of group \d+: .*: group \d+ holds 0000:00:10.0/,
      });
    }),
  );

  it(
    "takes raw requests",
    withDevice((device) => {
      const bytes = Uint32Array.of(24, 0, 0, 0, 0, 0);
      equal(device.rawIoctl(VFIO_DEVICE_GET_INFO, new Uint8Array(bytes.buffer)), 0);
      equal([...bytes.subarray(0, 4)], [24, 2, 9, 5]);
      equal(device.rawIoctl(0x3bff), -25, "ENOTTY");
    }),
  );

  it("may be open several times", () => {
    using container = Container.open();
    using group = container.attach(EDU);
    using one = group.device();
    using two = group.device(EDU);
    equal([one.info(), one.fd === two.fd], [two.info(), false]);
  });
});

describe("registers", () => {
  const factorial = async (read: () => number, status: () => number): Promise<number> => {
    await until(() => (status() & 1) === 0, "the factorial is there");
    return read();
  };

  it("by read and write", async () => {
    using container = Container.open();
    using group = container.attach(EDU);
    using edu = new Edu(group);
    const { bar } = edu;
    equal(bar.read32(REGISTER.id), EDU_ID);
    bar.write32(REGISTER.liveness, 0x1234_5678);
    equal(bar.read32(REGISTER.liveness), 0xedcb_a987);
    bar.write32(REGISTER.factorial, 10);
    const read = (at: number) => () => bar.read32(at);
    equal(await factorial(read(REGISTER.factorial), read(REGISTER.status)), 3_628_800);
    equal([...bar.read(REGISTER.id, 4)], [0xed, 0, 0, 1]);
  });

  it("in memory", async () => {
    using container = Container.open();
    using group = container.attach(EDU);
    using edu = new Edu(group);
    using memory = edu.bar.map(0n, PAGE);
    equal([memory.read32(REGISTER.id), memory.size], [EDU_ID, PAGE]);
    memory.write32(REGISTER.liveness, 0xffff_0000);
    equal(memory.read32(REGISTER.liveness), 0x0000_ffff);
    memory.write32(REGISTER.factorial, 5);
    const read = (at: number) => () => memory.read32(at);
    equal(await factorial(read(REGISTER.factorial), read(REGISTER.status)), 120);
    for (const offset of [-4, 2, 4096, NaN]) {
      throws(() => memory.read32(offset), RangeError, `got ${offset}`);
    }
  });

  it(
    "outside of a region are refused before any system call",
    withDevice((device) => {
      const bar = device.region(0);
      throws(() => bar.read(0x10_0000, 1), RangeError, "has 0x100000 bytes; got offset 1048576");
      throws(() => bar.read(0xf_fffe, 4), RangeError, "length 4");
      throws(() => bar.write(-1, Uint8Array.of(1)), RangeError, "got offset -1");
      throws(() => bar.map(MiB), RangeError, "got 0x100000+0x0");
      throws(() => bar.map(0n, 2n * MiB), RangeError, "length 2097152");
      throws(
        () => device.region(1).read32(0),
        RangeError,
        "Region 1 of 0000:00:10.0 has 0x0 bytes",
      );
    }),
  );

  it("of a device that does not answer are EIO", () => {
    using container = Container.open();
    using group = container.attach(EDU);
    using edu = new Edu(group);
    edu.command(0);
    refused(() => edu.bar.read32(REGISTER.id), {
      code: "EIO",
      operation: "pread",
      text: "Cannot read 4 bytes at 0x0 of region 0 of 0000:00:10.0",
    });
    edu.command(2);
    equal(edu.bar.read32(REGISTER.id), EDU_ID);
  });
});

describe("a mapped region", () => {
  it("goes with its device, and says so", () => {
    using container = Container.open();
    using group = container.attach(EDU);
    const device = group.device();
    const memory = device.region(0).map();
    equal(memory.isMapped, true);
    device[Symbol.dispose]();
    equal(memory.isMapped, false);
    throws(() => memory.read32(0), ReferenceError, "the region is unmapped");
    memory[Symbol.dispose]();
  });

  for (const first of ["region", "device", "group", "container"] as const) {
    it(`lets its ${first} be disposed first`, () => {
      const container = Container.open();
      const group = container.attach(EDU);
      const device = group.device();
      const region = device.region(0).map();
      const parts = { region, device, group, container };
      parts[first][Symbol.dispose]();
      for (const part of Object.values(parts)) part[Symbol.dispose]();
    });
  }

  it("that somebody else keeps holds the group: EBUSY, and nothing is lost", () => {
    using container = Container.open();
    const group = container.attach(EDU);
    const device = group.device();
    const linux = container.rawKernel;
    const address = linux.mmap(PAGE, PROT_READ, MAP_SHARED, device.fd, 0n);
    if (typeof address === "number") throw new Error(`mmap: ${address}`);
    const error = throws(
      () => group[Symbol.dispose](),
      VfioError,
      /Cannot take group \d+ out of its container: .*EBUSY \(16\): a device of it is still open/,
    );
    equal(error.operation, "VFIO_GROUP_UNSET_CONTAINER");
    equal([group.isAttached, container.groups], [false, []]);
    must(linux.munmap(address, PAGE), "munmap");
    using again = container.attach(EDU);
    equal(again.isAttached, true);
  });
});
