import { DEFAULT_MDEV, ModelKernel } from "../../../lib/model/mod.ts";
import { O_RDWR, O_WRONLY } from "../../../lib/sys/constant.ts";
import type { Kernel } from "../../../lib/sys/kernel.ts";
import { replay, Replayer, type Step, type TraceRecord } from "../../../lib/trace/mod.ts";
import { Container, HostMemory, UNLIMITED } from "../../../mod.ts";
import { equal, ok, rejects } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { bytesOf, ERRNO, instead, recorded } from "./support.ts";

const PAGE = 4096n;
const DEVICE = "0000:00:10.0";

const differing = (steps: readonly Step[]): unknown[] =>
  steps.map(({ record, differences }) => [
    record.call === "ioctl" ? record.name : record.call,
    ...differences.map(({ what, wanted, got }) => `${what}: ${wanted} / ${got}`),
  ]);

/** What a replay of calls on a kernel comes to. */
async function again(
  session: (kernel: Kernel) => void,
  on: Kernel,
  change: (records: TraceRecord[]) => TraceRecord[] = (records) => records,
): Promise<unknown[]> {
  const { kernel, records } = recorded();
  session(kernel);
  return differing((await replay(change(records), on, { all: true })).different);
}

function life(kernel: Kernel): void {
  using container = Container.open({ kernel });
  using group = container.attach(DEVICE);
  using device = group.device();
  using memory = container.allocate(PAGE * 8n);
  using mapping = container.map(memory, { iova: 0n });
  using event = container.event();
  device.enableIrq(1, [event]);
  device.triggerIrq(1);
  equal(event.take(), 1n);
  using _tracker = container.trackDirty();
  equal(mapping.unmapWithBitmap().count, 8);
}

/** Replaces the request of a name in a trace. */
const edited = (name: string, edit: (record: TraceRecord) => object) =>
(
  records: TraceRecord[],
): TraceRecord[] =>
  records.map((record) =>
    record.call === "ioctl" && record.name === name
      ? { ...record, ...edit(record) } as TraceRecord
      : record
  );

describe("replay", () => {
  it("finds nothing where nothing differs, and leaves nothing behind", async () => {
    const model = new ModelKernel();
    equal(await again(life, model), []);
    equal([model.openFiles, model.openMappings], [0, 0]);
  });

  it("shows another result, and stops there unless it is told to go on", async () => {
    const { kernel, records } = recorded();
    life(kernel);
    const on = (): Kernel => new ModelKernel({ entryLimit: 0 });
    const first = await replay(records, on());
    // DMA_AVAIL of the capability chain tells it first.
    const seen = ["VFIO_IOMMU_GET_INFO", "byte 64: ffff000000000000 / 0000000000000000"];
    equal(differing(first.different), [seen]);
    const all = await replay(records, on(), { all: true });
    const results = differing(all.different).map(String);
    ok(results.includes("VFIO_IOMMU_MAP_DMA,result: 0 / ENOSPC"), results.join("\n"));
    ok(all.made > first.made);
  });

  it("shows another field, and other bits", async () => {
    const unmap = edited("VFIO_IOMMU_UNMAP_DMA", (record) => {
      if (record.call !== "ioctl") throw new Error("an ioctl");
      const wrong = bytesOf("container", "VFIO_IOMMU_UNMAP_DMA", {
        flags: "GET_DIRTY_BITMAP",
        size: "0x7000",
        "bitmap.pgsize": "4096",
        "bitmap.size": "8",
      }).toHex();
      return {
        out: wrong,
        pointers: record.pointers?.map((one) => ({ ...one, after: "7f 00*7" })),
      };
    });
    equal(await again(life, new ModelKernel(), unmap), [[
      "VFIO_IOMMU_UNMAP_DMA",
      "size: 0x7000 / 0x8000",
      "bits of bitmap.data: no other / 1 bit more: 7",
    ]]);
  });

  it("undoes what a trace that ends early left", async () => {
    const { kernel, records } = recorded();
    life(kernel);
    for (let count = 1; count < records.length; count += 1) {
      const model = new ModelKernel();
      await replay(records.slice(0, count), model);
      equal([count, model.openFiles, model.openMappings], [count, 0, 0]);
    }
  });

  it("finds a group by its devices, and takes another device if asked", async () => {
    const { kernel, records } = recorded();
    life(kernel);
    const devices = [{
      kind: "pci",
      name: "0000:3b:00.0",
      group: 77,
      id: [0x1234, 0x11e8],
      class: 0xff00,
      driver: "vfio-pci",
      model: "edu",
    }] as const;
    const opened: string[] = [];
    const model = new ModelKernel({ devices });
    const open = (path: string): number => {
      opened.push(path);
      return model.open(path);
    };
    const options = { all: true, devices: { [DEVICE]: "0000:3b:00.0" } };
    const { different } = await replay(records, instead(model, { open }), options);
    equal(differing(different), []);
    ok(opened.includes("/dev/vfio/77"), opened.join(" "));
    const lost = await replay(records, new ModelKernel({ devices }), { all: true });
    equal(differing(lost.different)[0], ["open", "result: success / ENOENT"]);
  });

  it("compares registers only if asked", async () => {
    const session = (kernel: Kernel): void => {
      using container = Container.open({ kernel });
      using group = container.attach(DEVICE);
      using device = group.device();
      device.region(0).read32(0);
    };
    const { kernel, records } = recorded();
    session(kernel);
    const model = new ModelKernel();
    const pread = (fd: number, into: Uint8Array, offset: bigint): number => {
      const got = model.pread(fd, into, offset);
      into[0] = 0x77;
      return got;
    };
    const on = instead(model, { pread });
    equal((await replay(records, on)).different, []);
    equal(differing((await replay(records, on, { registers: true })).different), [
      ["pread", "data: ed000001 / 77000001"],
    ]);
  });

  it("waits where the script did, for a model's devices work then", async () => {
    const { kernel, records } = recorded();
    {
      using container = Container.open({ kernel });
      using _group = container.attach(DEFAULT_MDEV);
      using memory = container.allocate(PAGE * 64n);
      using _mapping = container.map(memory, { iova: 0n });
      using tracker = container.trackDirty();
      for (let round = 0; round < 3; round += 1) {
        equal([...tracker.runs()].length, 2);
        await Promise.resolve();
      }
    }
    equal(differing((await replay(records, new ModelKernel(), { all: true })).different), []);
    const hasty = records.map(({ waited: _, ...rest }) => rest as TraceRecord);
    const { different } = await replay(hasty, new ModelKernel());
    equal(differing(different).map(String), [
      "VFIO_IOMMU_DIRTY_PAGES,bits of bitmap.data: 2 bits more: 35..36 / no other",
    ]);
  });

  it("ends when it is told to", async () => {
    const { kernel, records } = recorded();
    life(kernel);
    const stop = new AbortController();
    const model = new ModelKernel();
    const onStep = ({ record }: Step): void => {
      if (record.call === "mmap") stop.abort(new Error("enough"));
    };
    await rejects(
      () => replay(records, model, { onStep, signal: stop.signal }),
      Error,
      "enough",
    );
    equal([model.openFiles, model.openMappings], [0, 0]);
  });
});

describe("a replay keeps away", () => {
  const open = { seq: 0, call: "open", flags: O_RDWR, kind: "other", result: 3 } as const;
  const all: Partial<Kernel> = {
    open: () => {
      throw new Error("it was opened");
    },
    write: () => {
      throw new Error("it was written");
    },
  };

  for (const path of ["/etc/passwd", "/dev/sda", "/proc/sys/vm/x", "/sys/../etc/x", "/sys/a"]) {
    it(`from ${path}`, () => {
      using replayer = new Replayer(instead(new ModelKernel(), all));
      ok(replayer.step({ ...open, path }).skipped !== undefined);
      const write = { seq: 1, call: "write", fd: 3, kind: "text", length: 1 } as const;
      ok(replayer.step({ ...write, text: "1", result: 1 }).skipped !== undefined);
    });
  }

  it("from /sys unless it is told to write there", () => {
    const path = `/sys/bus/pci/devices/${DEVICE}/driver_override`;
    const steps = (writesSysfs: boolean): unknown[] => {
      const model = new ModelKernel();
      using replayer = new Replayer(model, { writesSysfs });
      const opened = replayer.step({ ...open, path, flags: O_WRONLY, kind: "text" });
      const write = { seq: 1, call: "write", fd: 3, kind: "text", length: 9 } as const;
      const wrote = replayer.step({ ...write, text: "vfio-pci\n", result: 9 });
      return [opened, wrote].map(({ skipped, differences }) => skipped ?? differences);
    };
    equal(steps(true), [[], []]);
    const why = "a write to /sys, which nobody asked for";
    equal(steps(false), [why, why]);
  });

  it("from descriptors that are not the trace's own", () => {
    const seen: number[] = [];
    const close = (fd: number): number => {
      seen.push(fd);
      return -ERRNO.EBADF;
    };
    using replayer = new Replayer(instead(new ModelKernel(), { close }));
    const { differences } = replayer.step({
      seq: 0,
      call: "close",
      fd: 5,
      kind: "other",
      result: -ERRNO.EBADF,
    });
    equal([seen, differences], [[-1], []]);
  });

  it("from memory that is not the trace's own", () => {
    const addresses: bigint[] = [];
    const ioctlBuffer = (_fd: number, _request: number, argument: Uint8Array): number => {
      addresses.push(new DataView(argument.buffer).getBigUint64(8, true));
      return -ERRNO.EFAULT;
    };
    const model = new ModelKernel();
    using replayer = new Replayer(instead(model, { ioctlBuffer }));
    replayer.step({ ...open, path: "/dev/vfio/vfio", kind: "container" });
    const map = (vaddr: bigint, result: number, memory?: number): void => {
      replayer.step({
        seq: 1,
        call: "ioctl",
        fd: 3,
        kind: "container",
        request: "0x3b71",
        name: "VFIO_IOMMU_MAP_DMA",
        in: bytesOf("container", "VFIO_IOMMU_MAP_DMA", { vaddr: `${vaddr}`, size: "0x2000" })
          .toHex(),
        pointers: [{
          at: 8,
          field: "vaddr",
          length: "0x2000",
          ...memory === undefined ? {} : { memory, offset: "0x1000" },
        }],
        result,
      });
    };
    const mmap = { seq: 1, call: "mmap", fd: -1, kind: "other", protection: 3 } as const;
    replayer.step({ ...mmap, flags: 0x22, offset: "0x0", length: "0x2000", memory: 1, result: 0 });
    const foreign = 0x7f12_3456_7008n;
    map(0n, -14); //               NULL stays NULL
    map(0xffff_8000_0000_0000n, -14); // the kernel's own
    map(foreign, -14, 1); //       past the end of the memory: an address that faults
    map(foreign, -14);
    map(foreign, 0); //            it went well, so something must be there
    const standIn = addresses.pop()!;
    equal(addresses, [0n, 0xffff_8000_0000_0000n, 0x1008n, 0x1008n]);
    ok(standIn % PAGE === 8n && standIn !== foreign && standIn > 0x1_0000n);
    equal(model.openMappings, 2);
  });

  it("from a fixed place, and other limits", () => {
    const calls: unknown[] = [];
    const mmap = (_length: bigint, protection: number, flags: number): number => {
      calls.push([protection, flags]);
      return -ERRNO.ENOMEM;
    };
    const model = new ModelKernel();
    using replayer = new Replayer(instead(model, { mmap }));
    const MAP_FIXED = 0x10;
    replayer.step({
      seq: 0,
      call: "mmap",
      fd: -1,
      kind: "other",
      protection: 0xff,
      flags: 0x22 | MAP_FIXED,
      offset: "0x0",
      length: "0x1000",
      result: 0,
    });
    equal(calls, [[7, 0x22]]);
    const limit = { seq: 1, call: "prlimit", pid: 0, resource: 7, result: 0 } as const;
    const next = { soft: "0x0", hard: "0x0" };
    ok(replayer.step({ ...limit, next }).skipped !== undefined);
    ok(replayer.step({ ...limit, resource: 8, pid: 1, next }).skipped !== undefined);
    ok(replayer.step({ ...limit, resource: 8 }).skipped !== undefined);
  });

  it("from waiting for ever", () => {
    const waits: number[] = [];
    const poll = (_requests: unknown, timeout: number): number[] => {
      waits.push(timeout);
      return [0];
    };
    using replayer = new Replayer(instead(new ModelKernel(), { poll }));
    const record = { seq: 0, call: "poll", requests: [{ fd: -1, events: 1 }], result: 0 } as const;
    const { differences } = replayer.step({ ...record, timeout: -1, events: [1] });
    equal(waits, [10_000]);
    equal(differences, [{ what: "events", wanted: "1", got: "0" }]);
  });
});

describe("the rest of a replay", () => {
  it("puts the memory limit back", async () => {
    const model = new ModelKernel();
    const before = model.prlimit(0, 8);
    const session = (kernel: Kernel): void => {
      kernel.prlimit(0, 8, { soft: 4096n, hard: UNLIMITED });
      kernel.prlimit(0, 8, { soft: 2n, hard: 1n }); //   EINVAL
    };
    equal(await again(session, model), []);
    equal(model.prlimit(0, 8), before);
  });

  it("lends memory for what the script lent, and files for its files", async () => {
    const session = (kernel: Kernel): void => {
      const lent = kernel.addressOf(kernel.allocate(64));
      ok(lent.address > 0n);
      using file = HostMemory.allocate(kernel, PAGE, { backing: "memfd" });
      equal(file.bytes.length, 4096);
      const event = kernel.eventfd(0, 0);
      kernel.write(event, new Uint8Array(new BigUint64Array([3n]).buffer));
      kernel.read(event, new Uint8Array(8));
      kernel.read(event, new Uint8Array(8)); //          EAGAIN
      kernel.poll([{ fd: event, events: 1 }], 0);
      kernel.close(event);
    };
    const model = new ModelKernel();
    equal(await again(session, model), []);
    equal([model.openFiles, model.openMappings], [0, 0]);
  });

  it("compares what an eventfd tells", async () => {
    const session = (kernel: Kernel): void => {
      const event = kernel.eventfd(3, 0);
      kernel.read(event, new Uint8Array(8));
    };
    const change = (records: TraceRecord[]): TraceRecord[] =>
      records.map((r) => r.call === "eventfd" ? { ...r, initial: 4 } : r);
    equal(await again(session, new ModelKernel(), change), [
      ["read", "data: 0300000000000000 / 0400000000000000"],
    ]);
  });

  it("closes what a trace was refused and this kernel gives", () => {
    const model = new ModelKernel();
    using replayer = new Replayer(model);
    const path = "/dev/vfio/vfio";
    const { differences } = replayer.step({
      seq: 0,
      call: "open",
      path,
      flags: O_RDWR,
      kind: "container",
      result: -ERRNO.EACCES,
    });
    equal(differences, [{ what: "result", wanted: "EACCES", got: "success" }]);
    equal(model.openFiles, 0);
  });
});
