/** Real DMA by a device into and out of our memory, through the IOMMU. */
import { type Access, Container, type HostMemory } from "../../../mod.ts";
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { Edu } from "../support/edu.ts";
import { it } from "../support/guard.ts";
import { EDU, LOW, MiB, PAGE } from "../support/machine.ts";

/** Bytes that occur nowhere by chance. */
const pattern = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + seed) % 251 + 1);

const slice = (memory: HostMemory, at: number, length: number): number[] => [
  ...memory.bytes.subarray(at, at + length),
];

/** A container with an edu device that may do DMA. */
function withEdu(body: (container: Container, edu: Edu) => Promise<void>): () => Promise<void> {
  return async () => {
    using container = Container.open();
    using group = container.attach(EDU);
    using edu = new Edu(group);
    await body(container, edu);
  };
}

describe("DMA", () => {
  it(
    "carries bytes out of memory and back, and touches nothing else",
    withEdu(async (container, edu) => {
      using memory = container.allocate(MiB);
      using _mapping = container.map(memory, { iova: LOW });
      const sent = pattern(1024, 7);
      memory.bytes.set(sent, 0x3000);
      await edu.fromMemory({ iova: LOW + 0x3000n, count: 1024, place: 64 });
      await edu.toMemory({ iova: LOW + 0x8010n, count: 1024, place: 64 });
      equal(slice(memory, 0x8010, 1024), [...sent]);
      const wanted = new Uint8Array(Number(MiB));
      wanted.set(sent, 0x3000);
      wanted.set(sent, 0x8010);
      equal(memory.bytes.every((byte, i) => byte === wanted[i]), true);
    }),
  );

  it(
    "crosses pages, and from one mapping into the next",
    withEdu(async (container, edu) => {
      using memory = container.allocate(4n * PAGE);
      // Two mappings side by side in IOVA, in reverse order in memory.
      using _low = container.map(memory, { iova: LOW, offset: 2n * PAGE, size: PAGE });
      using _high = container.map(memory, { iova: LOW + PAGE, offset: 0n, size: PAGE });
      const sent = pattern(512, 3);
      memory.bytes.set(sent.subarray(0, 256), 3 * 4096 - 256);
      memory.bytes.set(sent.subarray(256), 0);
      await edu.fromMemory({ iova: LOW + PAGE - 256n, count: 512 });
      memory.bytes.fill(0);
      await edu.toMemory({ iova: LOW + PAGE - 256n, count: 512 });
      equal([...slice(memory, 3 * 4096 - 256, 256), ...slice(memory, 0, 256)], [...sent]);
    }),
  );

  it(
    "reaches the same memory at two addresses",
    withEdu(async (container, edu) => {
      using memory = container.allocate(PAGE);
      using _one = container.map(memory, { iova: LOW });
      using _two = container.map(memory, { iova: LOW + 8n * MiB });
      const sent = pattern(128, 5);
      memory.bytes.set(sent);
      await edu.fromMemory({ iova: LOW, count: 128 });
      await edu.toMemory({ iova: LOW + 8n * MiB + 0x400n, count: 128 });
      equal(slice(memory, 0x400, 128), [...sent]);
    }),
  );

  // "w" reads too: the kernel's VT-d driver sets the bit for reading in every entry.
  const rights: [Access, reads: boolean, writes: boolean][] = [
    ["r", true, false],
    ["w", true, true],
    ["rw", true, true],
  ];
  for (const [access, reads, writes] of rights) {
    it(
      `through a mapping with access "${access}"`,
      withEdu(async (container, edu) => {
        using open = container.allocate(PAGE);
        using _open = container.map(open, { iova: LOW });
        using tested = container.allocate(PAGE);
        using _tested = container.map(tested, { iova: LOW + MiB, access });
        const [known, secret] = [pattern(64, 11), pattern(64, 29)];
        open.bytes.set(known);
        tested.bytes.set(secret);
        // What the device reads of the tested mapping shows in the open one.
        await edu.fromMemory({ iova: LOW, count: 64 });
        await edu.fromMemory({ iova: LOW + MiB, count: 64 });
        await edu.toMemory({ iova: LOW + 0x800n, count: 64 });
        const seen = slice(open, 0x800, 64);
        equal(seen.every((byte, i) => byte === secret[i]), reads, "the device could read");
        await edu.fromMemory({ iova: LOW, count: 64 });
        await edu.toMemory({ iova: LOW + MiB, count: 64 });
        equal(slice(tested, 0, 64), [...writes ? known : secret], "the device could write");
      }),
    );
  }

  it(
    "ends with the mapping: later writes land nowhere",
    withEdu(async (container, edu) => {
      using memory = container.allocate(PAGE);
      const mapping = container.map(memory, { iova: LOW });
      memory.bytes.set(pattern(64, 2));
      await edu.fromMemory({ iova: LOW, count: 64 });
      mapping[Symbol.dispose]();
      memory.bytes.fill(0);
      await edu.toMemory({ iova: LOW, count: 64 });
      equal(slice(memory, 0, 64), new Array(64).fill(0));
    }),
  );

  it(
    "needs the bus master bit",
    withEdu(async (container, edu) => {
      using memory = container.allocate(PAGE);
      using _mapping = container.map(memory, { iova: LOW });
      memory.bytes.set(pattern(64, 2));
      await edu.fromMemory({ iova: LOW, count: 64 });
      memory.bytes.fill(0);
      edu.command(2);
      await edu.toMemory({ iova: LOW, count: 64 });
      equal(slice(memory, 0, 64), new Array(64).fill(0));
      edu.command(6);
      await edu.toMemory({ iova: LOW, count: 64 });
      equal(slice(memory, 0, 64), [...pattern(64, 2)]);
    }),
  );

  it(
    "into tracked memory is inside what the windows report",
    withEdu(async (container, edu) => {
      using memory = container.allocate(MiB);
      using mapping = container.map(memory, { iova: LOW });
      using tracker = container.trackDirty();
      await edu.toMemory({ iova: LOW + 5n * PAGE, count: 64 });
      for (const window of tracker.drain()) {
        equal([window.has(LOW + 5n * PAGE), window.label], [true, "all-mapped"]);
      }
      await edu.toMemory({ iova: LOW + 9n * PAGE, count: 64 });
      equal(mapping.unmapWithBitmap().has(LOW + 9n * PAGE), true);
    }),
  );
});
