/** A second group comes and goes while mappings are in place. */
import { Container, type Group } from "../../../mod.ts";
import { equal, throws } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { Edu } from "../support/edu.ts";
import { it, openFiles } from "../support/guard.ts";
import { EDU, EDU2, groupOf, LOW, MiB, PAGE } from "../support/machine.ts";
import { refused } from "../support/refused.ts";

const ALL = [{ iova: LOW, size: MiB, pages: 256, label: "all-mapped" }];

/** Whether a device of the group can write into memory at LOW + page, seen at `at`. */
async function writes(group: Group, bytes: Uint8Array, page: number): Promise<boolean> {
  using edu = new Edu(group);
  const at = page * 4096;
  bytes.set([page, 1, 2, 3], at);
  await edu.fromMemory({ iova: LOW + BigInt(at), count: 4 });
  await edu.toMemory({ iova: LOW + BigInt(at) + 8n, count: 4 });
  return [page, 1, 2, 3].every((byte, i) => bytes[at + 8 + i] === byte);
}

describe("a second group", () => {
  it("reaches what was mapped before it came, and costs no more memory", async () => {
    using container = Container.open();
    using first = container.attach(EDU);
    using memory = container.allocate(MiB);
    using _mapping = container.map(memory, { iova: LOW });
    const before = container.pins();
    using second = container.attach(EDU2);
    equal(container.groups, [first, second]);
    equal(container.pins().since(before), { locked: 0n, pinned: 0n, dmaAvailable: 0 });
    equal(await writes(second, memory.bytes, 1), true);
    equal(await writes(first, memory.bytes, 2), true);
  });

  it("reaches what is mapped after it came", async () => {
    using container = Container.open();
    using _first = container.attach(EDU);
    using second = container.attach(EDU2);
    using memory = container.allocate(MiB);
    using _mapping = container.map(memory, { iova: LOW });
    equal(container.pins().locked, MiB, "counted once for both");
    equal(await writes(second, memory.bytes, 3), true);
  });

  it("leaves again: mappings, tracking and the first group stay", async () => {
    using container = Container.open();
    using first = container.attach(EDU);
    using memory = container.allocate(MiB);
    using _mapping = container.map(memory, { iova: LOW });
    using tracker = container.trackDirty();
    equal([...tracker.runs()], ALL);
    const files = openFiles().size;
    for (let i = 0; i < 3; i += 1) {
      using second = container.attach(EDU2);
      using _device = second.device();
      equal([...tracker.runs()], ALL);
      second[Symbol.dispose]();
      equal([openFiles().size, tracker.isOn], [files, true]);
      equal([...tracker.runs()], ALL);
    }
    equal(await writes(first, memory.bytes, 4), true);
  });

  it("may stay when the first one leaves", async () => {
    using container = Container.open();
    const first = container.attach(EDU);
    using memory = container.allocate(MiB);
    using mapping = container.map(memory, { iova: LOW });
    using tracker = container.trackDirty();
    using second = container.attach(EDU2);
    first[Symbol.dispose]();
    equal([container.groups, mapping.isMapped, tracker.isOn], [[second], true, true]);
    equal([...tracker.runs()], ALL);
    equal(await writes(second, memory.bytes, 5), true);
    // The first comes back as the second.
    using again = container.attach(EDU);
    equal(await writes(again, memory.bytes, 6), true);
  });

  it("that leaves last takes mappings and tracking along", () => {
    using container = Container.open();
    using memory = container.allocate(MiB);
    const groups = [container.attach(EDU), container.attach(EDU2)];
    const mapping = container.map(memory, { iova: LOW });
    const tracker = container.trackDirty();
    groups[1]![Symbol.dispose]();
    equal([mapping.isMapped, tracker.isOn], [true, true]);
    groups[0]![Symbol.dispose]();
    equal([mapping.isMapped, tracker.isOn, container.tracker], [false, false, undefined]);
    equal(container.mappings, []);
    throws(() => [...tracker.drain()], ReferenceError, "tracking has ended");
  });

  it("that is refused leaves the first one as it was", async () => {
    using other = Container.open();
    using _taken = other.attach(EDU2);
    using container = Container.open();
    using first = container.attach(EDU);
    using memory = container.allocate(MiB);
    using _mapping = container.map(memory, { iova: LOW });
    refused(() => container.attach(EDU2), {
      code: "EBUSY",
      operation: "open",
      text: `Cannot open IOMMU group ${groupOf(EDU2)}`,
    });
    equal(container.groups, [first]);
    equal(await writes(first, memory.bytes, 7), true);
  });

  it("in a container of its own has addresses of its own", async () => {
    using one = Container.open();
    using first = one.attach(EDU);
    using two = Container.open();
    using second = two.attach(EDU2);
    using a = one.allocate(8n * PAGE);
    using b = two.allocate(8n * PAGE);
    using _a = one.map(a, { iova: LOW });
    using _b = two.map(b, { iova: LOW });
    equal([await writes(first, a.bytes, 1), await writes(second, b.bytes, 2)], [true, true]);
    equal([a.bytes[2 * 4096 + 8], b.bytes[4096 + 8]], [0, 0], "neither reached the other's");
    equal(one.pins().locked, 16n * PAGE);
  });
});
