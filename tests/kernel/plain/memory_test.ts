/** Kinds of host memory, where the library puts them, and what they cost. */
import { Container, HostMemory, type MemoryOptions, rawLinux as linux } from "../../../mod.ts";
import { MAP_SHARED, PROT_READ } from "../../../lib/sys/constant.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { Edu } from "../support/edu.ts";
import { it } from "../support/guard.ts";
import { hugePages } from "../support/huge_pages.ts";
import { EDU, LOW, MiB, PAGE, setting, vtd } from "../support/machine.ts";
import { refused } from "../support/refused.ts";

const HUGE = 2n * MiB;

/** Maps memory of a kind, does DMA at its end, reads its dirty pages. */
async function use(options: MemoryOptions, size: bigint): Promise<void> {
  using container = Container.open();
  using group = container.attach(EDU);
  using edu = new Edu(group);
  const before = container.pins();
  using memory = container.allocate(size, options);
  using _mapping = container.map(memory, { iova: LOW });
  equal(container.pins().since(before), { locked: size, pinned: 0n, dmaAvailable: -1 });
  const end = Number(size) - 64;
  memory.bytes.set([9, 8, 7], end);
  await edu.fromMemory({ iova: LOW + size - 64n, count: 3 });
  await edu.toMemory({ iova: LOW, count: 3 });
  equal([...memory.bytes.subarray(0, 4)], [9, 8, 7, 0]);
  using tracker = container.trackDirty();
  const pages = Number(size / PAGE);
  equal([...tracker.runs()], [{ iova: LOW, size, pages, label: "all-mapped" }], "in 4 KiB pages");
}

describe("host memory", () => {
  it("anonymous", () => use({}, 4n * MiB));
  it("of a memfd", () => use({ backing: "memfd" }, 4n * MiB));

  it("in huge pages", async () => {
    using _pages = hugePages(4);
    await use({ hugePageSize: HUGE }, 4n * MiB);
  });

  it("of a memfd in huge pages", async () => {
    using _pages = hugePages(4);
    await use({ backing: "memfd", hugePageSize: HUGE }, 4n * MiB);
  });

  it("in transparent huge pages", async () => {
    using _always = setting("/sys/kernel/mm/transparent_hugepage/enabled", "always");
    using memory = HostMemory.allocate(linux, 8n * MiB);
    memory.bytes.fill(1);
    const smaps = Deno.readTextFileSync("/proc/self/smaps");
    const from = smaps.search(
      new RegExp(
        `^[0-9a-f]+-${(memory.address + memory.size).toString(16)} |` +
          `^${memory.address.toString(16)}-`,
        "m",
      ),
    );
    const huge = /^AnonHugePages:\s+(\d+) kB$/m.exec(smaps.slice(from));
    ok(from >= 0 && Number(huge?.[1]) > 0, "the kernel gave huge pages");
    await use({}, 8n * MiB);
  });

  for (const backing of ["anonymous", "memfd"] as const) {
    it(`in huge pages that are not there, ${backing}`, () => {
      using _pages = hugePages(0);
      refused(() => HostMemory.allocate(linux, HUGE, { backing, hugePageSize: HUGE }), {
        code: "ENOMEM",
        operation: "mmap",
        text: "Cannot allocate 2 MiB of host memory: mmap failed with ENOMEM (12): there are not " +
          "enough free huge pages; reserve some in /sys/kernel/mm/hugepages/hugepages-2048kB/" +
          "nr_hugepages",
      });
    });
  }

  it("of a memfd can be seen through its file", async () => {
    using container = Container.open();
    using group = container.attach(EDU);
    using edu = new Edu(group);
    using memory = container.allocate(MiB, { backing: "memfd" });
    using _mapping = container.map(memory, { iova: LOW });
    memory.bytes.set([5, 6, 7]);
    await edu.fromMemory({ iova: LOW, count: 3 });
    await edu.toMemory({ iova: LOW + 0x100n, count: 3 });
    const address = linux.mmap(PAGE, PROT_READ, MAP_SHARED, memory.fd!, 0n);
    if (typeof address === "number") throw new Error(`mmap: ${address}`);
    const view = linux.viewOf(address, Number(PAGE));
    equal([...new Uint8Array(view, 0x100, 4)], [5, 6, 7, 0]);
    view.transfer(0);
    linux.munmap(address, PAGE);
  });

  it("refuses sizes that cannot be, before any system call", () => {
    const sizes: [bigint, MemoryOptions, RegExp][] = [
      [0n, {}, /multiple of 0x1000 and more than 0; got 0x0/],
      [-PAGE, {}, /got -4096/],
      [100n, {}, /got 0x64/],
      [MiB, { hugePageSize: HUGE }, /multiple of 0x200000/],
      [MiB, { hugePageSize: 3n * PAGE }, /power of two above 4096; got 12288/],
    ];
    for (const [size, options, text] of sizes) {
      throws(() => HostMemory.allocate(linux, size, options), RangeError, text);
    }
  });
});

describe("addresses that the library chooses", () => {
  it("lie in the reported ranges, over no other mapping, at a multiple of 64 pages", () => {
    using container = Container.open();
    using _group = container.attach(EDU);
    using memory = container.allocate(MiB);
    container.map(memory, { iova: 0x8_0000n, size: PAGE });
    const chosen = [1n, 3n, 65n, 64n, 2n].map((pages) =>
      container.map(memory, { size: pages * PAGE })
    );
    equal(chosen.map(({ iova }) => iova), [
      0x4_0000n, // address 0 is left out
      0xc_0000n, // behind the mapping that stood in the way
      0x10_0000n,
      0x18_0000n,
      0x1c_0000n,
    ]);
    chosen[0]![Symbol.dispose]();
    equal(container.map(memory, { size: PAGE }).iova, 0x4_0000n, "the lowest that is free again");
    equal(container.unmapAll(), 136n * PAGE);
  });

  it("leave out the MSI window, although the rest of the low range is taken", () => {
    using container = Container.open();
    using _group = container.attach(EDU);
    using memory = container.allocate(64n * MiB);
    const [msi, last] = vtd().msi;
    // All of the low range, with the same memory again and again.
    for (let iova = 0n; iova < msi; iova += memory.size) {
      const size = msi - iova < memory.size ? msi - iova : memory.size;
      container.map(memory, { iova, size });
    }
    const mapping = container.map(memory, { size: MiB });
    equal(mapping.iova >= last + 1n, true);
    equal(container.pins().locked, msi + MiB, "the same memory counts each time it is mapped");
    container.unmapAll();
  });
});
