import { DEFAULT_MDEV, ModelKernel } from "../../../lib/model/mod.ts";
import {
  MAP_ANONYMOUS,
  MAP_HUGETLB,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from "../../../lib/sys/constant.ts";
import type { Kernel } from "../../../lib/sys/kernel.ts";
import type { IoctlRecord, PointerRecord, TraceRecord } from "../../../lib/trace/mod.ts";
import {
  VFIO_IOMMU_DIRTY_PAGES,
  VFIO_IOMMU_MAP_DMA,
  VFIO_SET_IOMMU,
} from "../../../lib/uapi/mod.ts";
import { Container, HostMemory } from "../../../mod.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { bytesOf, ERRNO, instead, type Recorded, recorded } from "./support.ts";

const RW = PROT_READ | PROT_WRITE;
const ANONYMOUS = MAP_PRIVATE | MAP_ANONYMOUS;
const PAGE = 4096n;

/** The requests of a name, in order. */
const named = (records: readonly TraceRecord[], name: string): IoctlRecord[] =>
  records.flatMap((record) => record.call === "ioctl" && record.name === name ? [record] : []);

/** Without what every record has, to compare. */
const bare = (record: TraceRecord | undefined): unknown => {
  const { seq: _, waited: _waited, ...rest } = record ?? { seq: -1 };
  return rest;
};

describe("a traced kernel", () => {
  it("tells a session by the kinds of its descriptors", () => {
    const { kernel, lines, records } = recorded();
    {
      using container = Container.open({ kernel });
      using group = container.attach("0000:00:10.0");
      using device = group.device();
      ok(device.regions().length > 0);
    }
    equal({ ...lines[0] }, {
      pinscope: "trace",
      version: 1,
      kernel: "model",
      release: "6.12.0-model",
    });
    equal(records.map(({ seq }) => seq), records.map((_, i) => i));
    const [open] = records.filter((r) => r.call === "open" && r.kind === "group");
    equal(open?.call === "open" ? open.devices : undefined, ["0000:00:10.0"]);
    const [got] = named(records, "VFIO_GROUP_GET_DEVICE_FD");
    equal([got?.kind, got?.made, got?.fields], [
      "group",
      "device",
      { argument: '"0000:00:10.0"' },
    ]);
    equal(named(records, "VFIO_DEVICE_GET_INFO").map(({ kind }) => kind), ["device"]);
    const closed = records.flatMap((r) => r.call === "close" && r.kind !== "text" ? [r.kind] : []);
    equal(closed, ["device", "group", "container"]);
    equal(named(records, "VFIO_SET_IOMMU").map(({ value, fields }) => [value, fields]), [
      ["0x3", { argument: "TYPE1v2 (3)" }],
    ]);
  });

  it("changes nothing that the kernel answers", () => {
    const inner = new ModelKernel();
    const { kernel } = recorded(inner);
    equal(kernel.name, inner.name);
    equal(kernel.open("/nowhere", 0), -ERRNO.ENOENT);
    equal(kernel.close(99), -ERRNO.EBADF);
    equal(kernel.readlink("/nowhere"), inner.readlink("/nowhere"));
    equal(kernel.list("/sys/kernel/iommu_groups"), inner.list("/sys/kernel/iommu_groups"));
    equal(kernel.prlimit(0, 8), inner.prlimit(0, 8));
    equal(kernel.sameFile(1, 2, 3, 4), inner.sameFile(1, 2, 3, 4));
    equal(kernel.mmap(0n, RW, ANONYMOUS, -1, 0n), -ERRNO.EINVAL);
    equal(kernel.munmap(0x1000n, 1n), -ERRNO.EINVAL);
    equal(kernel.poll([{ fd: 99, events: 1 }], 0), inner.poll([{ fd: 99, events: 1 }]));
    const view = new Uint8Array(0);
    equal(kernel.addressOf(view), inner.addressOf(view));
    kernel.retain()[Symbol.dispose]();
    throws(() => kernel.viewOf(1n, 1), RangeError, "whole mappings only");
  });

  it("names errors, and files that are none of VFIO's", () => {
    const { kernel, records } = recorded();
    kernel.ioctl(99, VFIO_IOMMU_MAP_DMA);
    equal(bare(records[0]), {
      call: "ioctl",
      fd: 99,
      kind: "other",
      request: "0x3b71",
      name: "0x3b71",
      result: -9,
      error: "EBADF",
    });
  });

  it("tells reads and writes with their bytes, and texts as texts", () => {
    const { kernel, records } = recorded();
    const event = kernel.eventfd(5, 0);
    kernel.read(event, new Uint8Array(8));
    kernel.write(event, new Uint8Array(8));
    const text = kernel.open("/proc/sys/kernel/osrelease", 0);
    kernel.read(text, new Uint8Array(64));
    const device = kernel.open("/dev/null", 0);
    kernel.pread(device, new Uint8Array(4), 1n << 40n);
    equal(records.filter(({ call }) => /read|write/.test(call)).map(bare), [
      { call: "read", fd: 3, kind: "eventfd", length: 8, data: "0500000000000000", result: 8 },
      { call: "write", fd: 3, kind: "eventfd", length: 8, data: "00*8", result: 8 },
      { call: "read", fd: 4, kind: "text", length: 64, text: "6.12.0-model\n", result: 13 },
      {
        call: "pread",
        fd: device,
        kind: "other",
        length: 4,
        offset: "0x10000000000",
        result: 0,
      },
    ]);
  });

  it("marks where the script has waited", async () => {
    const { kernel, records } = recorded();
    kernel.close(99);
    kernel.close(99);
    await Promise.resolve();
    kernel.close(99);
    kernel.close(99);
    equal(records.map(({ waited }) => waited), [undefined, undefined, true, undefined]);
  });

  it("takes a container on powerpc for what it becomes", () => {
    const calls: Partial<Kernel> = { ioctlValue: () => 0, ioctl: () => 0 };
    const { kernel, records } = recorded(instead(new ModelKernel(), calls));
    const fd = kernel.open("/dev/vfio/vfio", 2);
    kernel.ioctlValue(fd, VFIO_SET_IOMMU, 7n);
    kernel.ioctl(fd, 0x3b75);
    equal(records.flatMap((r) => r.call === "ioctl" ? [`${r.kind} ${r.name}`] : []), [
      "container VFIO_SET_IOMMU",
      "spapr-container VFIO_IOMMU_SPAPR_REGISTER_MEMORY",
    ]);
  });

  it("follows a descriptor that a struct brings", () => {
    const ioctlBuffer = (_fd: number, _request: number, argument: Uint8Array): number => {
      argument[12] = 42;
      return 0;
    };
    const inner = instead(new ModelKernel(), { ioctlBuffer, open: () => 7 });
    const { kernel, records } = recorded(inner);
    const fd = kernel.open("/dev/vfio/devices/vfio0", 2);
    const state = bytesOf("device", "VFIO_DEVICE_FEATURE", { flags: "SET MIG_DEVICE_STATE" });
    kernel.ioctlBuffer(fd, 0x3b75, state);
    kernel.ioctl(42, 0x3b79);
    const [, feature, migration] = records;
    if (feature?.call !== "ioctl" || migration?.call !== "ioctl") throw new Error("two ioctls");
    equal(feature.fds, [{ at: 12, fd: 42, made: "migration" }]);
    equal(feature.wrote, { "data.data_fd": "42" });
    equal(migration.name, "VFIO_MIG_GET_PRECOPY_INFO");
  });
});

describe("pointers in a trace", () => {
  const read = (container: Container, data: bigint): void => {
    container.rawIoctl(
      VFIO_IOMMU_DIRTY_PAGES,
      Uint8Array.from(bytesOf("container", "VFIO_IOMMU_DIRTY_PAGES", {
        flags: "GET_BITMAP",
        iova: "0",
        size: "0x100000",
        "bitmap.pgsize": "4096",
        "bitmap.size": "32",
        "bitmap.data": `${data}`,
      })),
    );
  };

  /** A container that tracks 1 MiB, all pages of which are dirty. */
  function tracked(traced: Recorded, body: (container: Container, kernel: Kernel) => void): void {
    const { kernel } = traced;
    using container = Container.open({ kernel });
    using _group = container.attach("0000:00:10.0");
    using memory = container.allocate(1n << 20n);
    using _mapping = container.map(memory, { iova: 0n });
    using _tracker = container.trackDirty();
    body(container, kernel);
  }

  const pointers = ({ records }: Recorded): (PointerRecord | undefined)[] =>
    named(records, "VFIO_IOMMU_DIRTY_PAGES").flatMap((r) => r.pointers ?? []);

  it("lead into memory by its number, with the bits before and after", () => {
    const traced = recorded();
    tracked(traced, (container, kernel) => {
      using bitmap = HostMemory.allocate(kernel, PAGE);
      bitmap.bytes[100] = 1;
      read(container, bitmap.address + 64n);
      read(container, bitmap.address + 64n + 4096n);
    });
    equal(
      pointers(traced),
      [
        {
          at: 40,
          field: "bitmap.data",
          memory: 2,
          offset: "0x40",
          length: "0x20",
          before: undefined,
          after: "ff*32",
        },
        { at: 40, field: "bitmap.data", length: "0x20" },
      ].map(({ before: _, ...rest }) => rest),
    );
    const [map] = named(traced.records, "VFIO_IOMMU_MAP_DMA");
    equal(map?.pointers, [{
      at: 8,
      field: "vaddr",
      memory: 1,
      offset: "0x0",
      length: "0x100000",
    }]);
    const gone = traced.records.flatMap((r) => r.call === "munmap" ? [[r.memory, r.offset]] : []);
    equal(gone, [[2, "0x0"], [1, "0x0"]]);
  });

  it("tell what stood there if it was not zero", () => {
    const traced = recorded();
    tracked(traced, (container, kernel) => {
      using bitmap = HostMemory.allocate(kernel, PAGE);
      bitmap.bytes.fill(0xaa, 0, 8);
      read(container, bitmap.address);
    });
    equal(pointers(traced).map((one) => [one?.before, one?.after]), [["aa*8 00*24", "ff*32"]]);
  });

  it("lead into memory of the script itself", () => {
    const traced = recorded();
    tracked(traced, (container, kernel) => {
      const view = kernel.allocate(64);
      read(container, kernel.addressOf(view).address);
      read(container, kernel.addressOf(view.subarray(8)).address);
      equal([...view.subarray(0, 2)], [0xff, 0xff]);
    });
    equal(pointers(traced).map((one) => [one?.memory, one?.offset, one?.after]), [
      [2, "0x0", "ff*32"],
      [2, "0x8", "ff*32"],
    ]);
    equal(traced.records.filter(({ call }) => call === "address").length, 1);
  });

  const unreadable: readonly (readonly [string, number, number])[] = [
    ["cannot be read", PROT_NONE, ANONYMOUS],
    ["may lack its huge pages", RW, ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE],
  ];
  for (const [what, protection, flags] of unreadable) {
    it(`are not followed into memory that ${what}`, () => {
      let looks = 0;
      const viewOf = (): ArrayBuffer => {
        looks += 1;
        return new ArrayBuffer(4096);
      };
      const inner = instead(new ModelKernel(), { viewOf });
      const traced = recorded(inner);
      tracked(traced, (container, kernel) => {
        const address = kernel.mmap(PAGE, protection, flags, -1, 0n);
        read(container, BigInt(address));
      });
      equal(pointers(traced).map((one) => [one?.memory, one?.after]), [[2, undefined]]);
      equal(looks, 0);
    });
  }

  it("are followed into a memfd as far as it reaches, and into a device never", () => {
    let looks = 0;
    const inner = instead(new ModelKernel(), {
      viewOf: () => {
        looks += 1;
        return new ArrayBuffer(4096);
      },
      mmap: () => 0x10000n,
      munmap: () => 0,
    });
    const traced = recorded(inner);
    const { kernel } = traced;
    const fd = kernel.open("/dev/vfio/vfio", 2);
    const file = kernel.memfd("half", 0);
    const at = (data: bigint): void => {
      kernel.ioctlBuffer(
        fd,
        0x3b75,
        bytesOf("container", "VFIO_IOMMU_DIRTY_PAGES", {
          flags: "GET_BITMAP",
          size: "0x100000",
          "bitmap.pgsize": "4096",
          "bitmap.size": "32",
          "bitmap.data": `${data}`,
        }),
      );
    };
    kernel.mmap(2n * PAGE, RW, MAP_SHARED, file, 0n);
    at(0x10000n); //                   the file is empty
    equal(looks, 0);
    kernel.ftruncate(file, PAGE);
    at(0x10000n);
    equal(looks, 2); //                before and after
    at(0x10000n + PAGE - 16n); //      over the file's end
    kernel.munmap(0x10000n, PAGE); //  leaves the second page
    at(0x10000n);
    kernel.mmap(PAGE, RW, MAP_SHARED, fd, 0n); // registers
    at(0x10000n);
    equal(looks, 2);
    const seen = named(traced.records, "VFIO_IOMMU_DIRTY_PAGES").flatMap((r) => r.pointers ?? []);
    equal(seen.map(({ memory, after }) => [memory, after !== undefined]), [
      [1, false],
      [1, true],
      [1, false],
      [undefined, false],
      [2, false],
    ]);
  });

  it("tell the pins of a mediated device", () => {
    const model = new ModelKernel();
    const traced = recorded(model);
    const { kernel } = traced;
    using container = Container.open({ kernel });
    using group = container.attach(DEFAULT_MDEV);
    using _device = group.device();
    using memory = container.allocate(PAGE * 8n);
    using _mapping = container.map(memory, { iova: 0n });
    using tracker = container.trackDirty();
    model.vendor(DEFAULT_MDEV).pin(0x3000n, 1);
    equal([...tracker.runs()].map(({ iova }) => iova), [0x3000n]);
    equal(pointers(traced).map((one) => one?.after), ["0800000000000000"]);
  });
});
