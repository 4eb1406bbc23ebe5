/** The whole life of a container with a device that does DMA, each step seen from outside. */
import { Container } from "../../../mod.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { Edu, EDU_ID, REGISTER } from "../support/edu.ts";
import { it, openFiles } from "../support/guard.ts";
import { EDU, groupOf, LOW, MiB } from "../support/machine.ts";

describe("the life of a container", () => {
  it("opens, attaches, maps, moves bytes, tracks, unmaps and closes", async () => {
    const files = openFiles().size;
    {
      using container = Container.open();
      equal(openFiles().size, files + 1, "the container");
      equal(container.groups, []);
      using group = container.attach(EDU);
      equal(openFiles().size, files + 2, "and the group");
      equal({ number: group.number, attached: group.isAttached }, {
        number: groupOf(EDU),
        attached: true,
      });
      equal(group.devices, [{ name: EDU, bus: "pci", driver: "vfio-pci" }]);
      const before = container.pins();

      using memory = container.allocate(MiB);
      using mapping = container.map(memory, { iova: LOW });
      equal(container.pins().since(before), { locked: MiB, pinned: 0n, dmaAvailable: -1 });

      using edu = new Edu(group);
      equal(openFiles().size, files + 3, "and the device");
      equal(edu.bar.read32(REGISTER.id), EDU_ID);
      memory.bytes.set([1, 2, 3, 4]);
      await edu.fromMemory({ iova: LOW, count: 4 });
      await edu.toMemory({ iova: LOW + 0x800n, count: 4 });
      equal([...memory.bytes.subarray(0x7ff, 0x805)], [0, 1, 2, 3, 4, 0]);

      using tracker = container.trackDirty();
      equal([...tracker.runs()], [{ iova: LOW, size: MiB, pages: 256, label: "all-mapped" }]);
      const last = mapping.unmapWithBitmap();
      equal({ count: last.count, label: last.label }, { count: 256, label: "all-mapped" });
      equal(mapping.isMapped, false);
      equal(container.pins().since(before), { locked: 0n, pinned: 0n, dmaAvailable: 0 });
    }
    equal(openFiles().size, files);
  });

  it("releases everything when its scope is left by an exception", () => {
    const failure = throws(
      () => {
        using container = Container.open();
        const group = container.attach(EDU);
        using memory = container.allocate(MiB);
        using _mapping = container.map(memory, { iova: LOW });
        container.trackDirty();
        const device = group.device();
        device.region(0).map();
        const event = container.event();
        device.enableIrq(1, [event]);
        event[Symbol.dispose]();
        throw new Error("the script's own");
      },
      Error,
      "the script's own",
    );
    equal(failure.name, "Error", "and nothing of the release went wrong");
  });

  it("can be lived again and again", () => {
    for (let i = 0; i < 5; i += 1) {
      using container = Container.open();
      using _group = container.attach(EDU);
      using memory = container.allocate(MiB);
      using _mapping = container.map(memory, { iova: LOW });
    }
  });

  it("may dispose any part first, and each part twice", () => {
    const container = Container.open();
    const group = container.attach(EDU);
    const memory = container.allocate(MiB);
    const mapping = container.map(memory, { iova: LOW });
    const tracker = container.trackDirty();
    const device = group.device();
    throws(() => memory.free(), ReferenceError, "dispose the mapping first");
    // The group goes first: the kernel drops mappings and tracking with the last one.
    for (const part of [group, group, container, container, tracker, mapping, device, memory]) {
      part[Symbol.dispose]();
    }
    equal([tracker.isOn, mapping.isMapped, memory.isMapped], [false, false, false]);
    throws(() => memory.bytes, ReferenceError, "given back");
    throws(() => device.info(), ReferenceError, "closed");
  });

  it("keeps memory that is given up until its mapping goes, also through an exception", () => {
    const mapped = (address: bigint): boolean =>
      Deno.readTextFileSync("/proc/self/maps").includes(`${address.toString(16)}-`);
    let address = 0n;
    const failure = throws(
      () => {
        using container = Container.open();
        container.attach(EDU);
        {
          using memory = container.allocate(MiB);
          container.map(memory, { iova: LOW });
          address = memory.address;
        }
        equal({ mapped: mapped(address), locked: container.pins().locked }, {
          mapped: true,
          locked: MiB,
        });
        equal(container.mappings.length, 1);
        throw new Error("the script's own");
      },
      Error,
      "the script's own",
    );
    equal(failure instanceof SuppressedError, false);
    equal(mapped(address), false);
  });

  it("takes a group by its number too, and knows the way back to the only device", () => {
    using container = Container.open();
    using group = container.attach(`group:${groupOf(EDU)}`);
    using device = group.device();
    equal(device.name, EDU);
    ok(device.info().isPci);
  });

  it("can be used again after its last group left", () => {
    using container = Container.open();
    using memory = container.allocate(MiB);
    const first = container.attach(EDU);
    const mapping = container.map(memory, { iova: LOW });
    first[Symbol.dispose]();
    equal(mapping.isMapped, false);
    throws(() => container.info(), ReferenceError, "attach a device again");
    throws(() => container.map(memory), ReferenceError, "attach a device again");
    using _second = container.attach(EDU);
    using again = container.map(memory, { iova: LOW });
    equal(container.mappings, [again]);
  });
});
