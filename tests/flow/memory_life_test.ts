import { Container, type HostMemory, type Mapping } from "../../mod.ts";
import { ModelKernel } from "../../lib/model/mod.ts";
import { equal, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const PCI = "0000:00:10.0";
const MiB = 1n << 20n;

/** Counts the munmaps of one memory, and what was mapped in the container at each. */
class Watching extends ModelKernel {
  address = -1n;
  gone = 0;

  override munmap(address: bigint, length: bigint): number {
    if (address === this.address) this.gone += 1;
    return super.munmap(address, length);
  }
}

function opened(
  body: (container: Container, memory: HostMemory, kernel: Watching) => void,
): Watching {
  const kernel = new Watching();
  {
    using container = Container.open({ kernel });
    container.attach(PCI);
    using memory = container.allocate(MiB);
    kernel.address = memory.address;
    body(container, memory, kernel);
  }
  equal([kernel.openFiles, kernel.openMappings, kernel.gone], [0, 0, 1]);
  return kernel;
}

describe("memory whose mapping was forgotten", () => {
  it("hides no error of the script", () => {
    const failure = throws(
      () =>
        opened((container, memory) => {
          container.map(memory);
          throw new RangeError("the script's own");
        }),
      RangeError,
      "the script's own",
    );
    equal(failure instanceof SuppressedError, false);
  });

  it("goes with the container, after the mapping", () => {
    opened((container, memory) => void container.map(memory));
  });

  it("goes with the mapping that is disposed last", () => {
    opened((container, memory, kernel) => {
      const low = container.map(memory, { iova: 0x1000_0000n });
      const high = container.map(memory, { iova: 0x2000_0000n });
      memory[Symbol.dispose]();
      memory[Symbol.dispose]();
      low[Symbol.dispose]();
      equal([kernel.gone, memory.isMapped, container.mappings], [0, true, [high]]);
      high[Symbol.dispose]();
      equal([kernel.gone, memory.isMapped], [1, false]);
    });
  });

  const ends: [string, (container: Container, mapping: Mapping) => void][] = [
    ["unmapAll", (container) => void container.unmapAll()],
    ["the last group", (container) => container.groups[0]![Symbol.dispose]()],
    ["unmapWithBitmap", (container, mapping) => {
      using _tracker = container.trackDirty();
      equal(mapping.unmapWithBitmap().count, 256);
    }],
  ];
  for (const [name, end] of ends) {
    it(`goes with ${name} too`, () => {
      opened((container, memory, kernel) => {
        const mapping = container.map(memory);
        memory[Symbol.dispose]();
        equal(kernel.gone, 0);
        end(container, mapping);
        equal([kernel.gone, mapping.isMapped], [1, false]);
      });
    });
  }

  it("can be used no more, and says why", () => {
    opened((container, memory) => {
      const view = memory.bytes;
      const mapping = container.map(memory);
      memory[Symbol.dispose]();
      equal(view.length, 0);
      const text = "it was given back while it was mapped, and goes with the mapping";
      throws(() => memory.bytes, ReferenceError, `Cannot use host memory: ${text}`);
      throws(() => memory.fd, ReferenceError, text);
      throws(() => container.map(memory), ReferenceError, `Cannot map host memory: ${text}`);
      throws(() => memory.free(), ReferenceError, "still mapped for a device");
      mapping[Symbol.dispose]();
      throws(() => memory.bytes, ReferenceError, /it was given back$/);
    });
  });
});

describe("memory that is freed", () => {
  it("is refused while it is mapped, and is as it was", () => {
    opened((container, memory, kernel) => {
      const mapping = container.map(memory);
      const text = "Cannot give back 1 MiB of host memory: it is still mapped for a device";
      throws(() => memory.free(), ReferenceError, text);
      equal([memory.isMapped, memory.bytes.length, kernel.gone], [true, 1 << 20, 0]);
      mapping[Symbol.dispose]();
      memory.free();
      equal(kernel.gone, 1);
      memory.free(); // a second time does nothing
    });
  });
});
