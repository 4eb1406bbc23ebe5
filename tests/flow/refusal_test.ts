import { Container, type HostMemory, RuleError, VfioError } from "../../mod.ts";
import { DEFAULT_MDEV, DEFAULT_SCENE, ModelKernel, type Scene } from "../../lib/model/mod.ts";
import { equal, match, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const PCI = "0000:00:10.0";

/** Runs `body` with a container that has the PCI device. */
function attached(
  body: (container: Container, memory: HostMemory) => void,
  scene: Partial<Scene> = {},
  target: string = PCI,
): void {
  using container = Container.open({ kernel: new ModelKernel(scene) });
  using _group = container.attach(target);
  using memory = container.allocate(1n << 20n);
  body(container, memory);
  container.unmapAll();
}

describe("bad input", () => {
  const bad: [string, (c: Container, m: HostMemory) => unknown, RegExp][] = [
    ["misaligned iova", (c, m) => c.map(m, { iova: 0x1001n }), /multiple of.*0x1000; got 0x1001/],
    ["misaligned size", (c, m) => c.map(m, { size: 100n }), /size.*0x1000; got 0x64/],
    ["zero size", (c, m) => c.map(m, { size: 0n }), /more than 0; got 0/],
    ["negative size", (c, m) => c.map(m, { size: -4096n }), /more than 0; got -4096/],
    ["negative iova", (c, m) => c.map(m, { iova: -4096n }), /at least 0; got -4096/],
    ["too much", (c, m) => c.map(m, { size: 1n << 30n }), /memory of 0x100000 bytes; got/],
    ["beyond 2^64", (c, m) => c.map(m, { iova: (1n << 64n) - 4096n }), /beyond 2\^64/],
    ["outside the ranges", (c, m) => c.map(m, { iova: 1n << 48n }), /outside the IOVA ranges/],
    ["the MSI window", (c, m) => c.map(m, { iova: 0xfee0_0000n }), /0xfedfffff, 0xfef00000/],
    ["a bad piece", (c, m) => c.map(m, { pieceSize: 4096n }), /multiple of 0x40000; got 4096/],
    ["a small budget", (c) => [...c.trackDirty().drain({ maxBitmapBytes: 1 })], /least 8; got 1/],
    ["memory of no size", (c) => c.allocate(0n), /more than 0; got 0x0/],
    ["odd memory", (c) => c.allocate(5000n), /multiple of 0x1000.*got 0x1388/],
  ];
  for (const [name, body, text] of bad) {
    it(`refuses ${name} before the kernel sees it`, () =>
      attached((c, m) => {
        throws(() => body(c, m), RangeError, text);
        equal(c.mappings.length, 0);
      }));
  }

  it("refuses an overlap with both ranges", () =>
    attached((c, m) => {
      c.map(m, { iova: 0x10_0000n });
      const text = "0x180000..0x27ffff overlaps the mapping 0x100000..0x1fffff";
      const error = throws(() => c.map(m, { iova: 0x18_0000n }), RuleError, text);
      equal([error.rule, error.code, error.source], ["map.overlap", "EEXIST", "vfio_dma_do_map"]);
    }));

  it("refuses a name that is no device", () => {
    using container = Container.open({ kernel: new ModelKernel() });
    for (const name of ["", "eth0", "0000:00:10", "../../x", "group:", "group:-1", "0000:"]) {
      throws(() => container.attach(name), TypeError, `got ${JSON.stringify(name)}`);
      throws(() => container.attach(name), TypeError, /"$/);
    }
  });

  it("names what was meant by a short name", () => {
    using container = Container.open({ kernel: new ModelKernel() });
    const cases = { "00:10.0": "0000:00:10.0", "aF:1f.7": "0000:aF:1f.7", "12": "group:12" };
    for (const [name, meant] of Object.entries(cases)) {
      const text = `got ${JSON.stringify(name)}; did you mean ${meant}?`;
      throws(() => container.attach(name), TypeError, text);
    }
    const number = 12 as unknown as string;
    throws(() => container.attach(number), TypeError, "got the number 12; did you mean group:12?");
  });
});

describe("a refused group", () => {
  const refused = (
    target: string,
    code: string,
    text: RegExp,
    scene: Partial<Scene> = {},
  ): void => {
    const kernel = new ModelKernel(scene);
    {
      using container = Container.open({ kernel });
      const error = throws(() => container.attach(target), VfioError, text);
      equal(error.code, code);
      equal(container.groups.length, 0);
    }
    equal(kernel.openFiles, 0);
  };

  it("names what is missing", () => {
    refused("0000:00:1f.0", "ENOENT", /no such device/);
    refused("group:77", "ENOENT", /no such group/);
    refused(
      "0000:00:03.0",
      "ENOENT",
      /0000:00:03.0: e1000e\); bind with: pinscope bind 0000:00:03.0$/,
    );
  });

  it("names the device and driver that spoil it", () => {
    const devices = DEFAULT_SCENE.devices.filter(({ kind }) => kind === "pci")
      .map((device) => ({ ...device, group: 3 }));
    refused(PCI, "EPERM", /not viable.*0000:00:03.0: e1000e, 0000:00:04.0: nvme\)/, { devices });
  });

  it("explains missing interrupt remapping, and works when the risk is taken", () => {
    refused(PCI, "EPERM", /allow_unsafe_interrupts/, { interruptRemapping: false });
    attached((c) => equal(c.groups.length, 1), { interruptRemapping: false }, DEFAULT_MDEV);
  });

  it("is named as there already, by its device and by its number", () => {
    const kernel = new ModelKernel();
    using container = Container.open({ kernel });
    const { number } = container.attach(PCI);
    const text = `The container has group ${number} already: its devices are opened with `;
    throws(() => container.attach(PCI), ReferenceError, `${text}group.device("${PCI}")`);
    throws(() => container.attach(`group:${number}`), ReferenceError, `${text}group.device()`);
    equal(container.groups.length, 1);
  });

  it("says that it is in use", () => {
    const kernel = new ModelKernel();
    using first = Container.open({ kernel });
    using _group = first.attach(PCI);
    using second = Container.open({ kernel });
    const error = throws(() => second.attach(PCI), VfioError, "open in another process");
    equal(error.code, "EBUSY");
  });
});

describe("a refused mapping", () => {
  it("explains the memory limit with its figures", () =>
    attached((c, m) => {
      c.map(m);
      const error = throws(() => c.map(m), VfioError, "ENOMEM (12)");
      equal(error.rule, "map.memlock");
      match(error.message, /VmLck 1 MiB \+ 1 MiB is above RLIMIT_MEMLOCK 1 MiB \(hard: 1 MiB\)/);
      equal([c.mappings.length, c.pins().locked, c.pins().room], [1, 1n << 20n, 0n]);
    }, { memlock: 1n << 20n, ipcLock: false }));

  it("explains the entry limit", () =>
    attached((c, m) => {
      c.map(m);
      const error = throws(() => c.map(m), VfioError, "dma_entry_limit");
      equal([error.code, error.rule], ["ENOSPC", "map.entries"]);
    }, { entryLimit: 1 }));

  it("takes back the pieces that were made", () =>
    attached((c, m) => {
      throws(() => c.map(m, { pieceSize: 1n << 18n }), VfioError, "ENOSPC");
      equal([c.mappings.length, c.pins().locked, c.pins().dmaAvailable], [0, 0n, 3]);
    }, { entryLimit: 3 }));

  it("says at attach that mapped memory is over the limit", () =>
    attached(
      (c, m) => {
        c.map(m);
        const error = throws(() => c.attach(PCI), VfioError, "pinned when the group joins");
        equal([error.code, error.rule], ["ENOMEM", "group.memlock"]);
      },
      { memlock: 1n << 19n, ipcLock: false },
      DEFAULT_MDEV,
    ));
});

describe("tracking", () => {
  it("is refused a second time, and on a v1 container", () => {
    attached((c) => {
      using _tracker = c.trackDirty();
      throws(() => c.trackDirty(), ReferenceError, "tracking dirty pages already");
    });
    using container = Container.open({ kernel: new ModelKernel(), type: "v1" });
    using _group = container.attach(PCI);
    equal(throws(() => container.trackDirty(), VfioError, "v1 container").code, "EACCES");
  });

  it("is refused for a mapping of more pages than a bitmap counts", () =>
    attached((c) => {
      using huge = c.allocate(1n << 43n);
      using _mapping = c.map(huge, { iova: 1n << 43n });
      throws(() => c.trackDirty(), RangeError, "2147483648 pages, and at most 2147483647");
    }));
});
