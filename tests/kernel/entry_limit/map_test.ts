/** A kernel that takes 100 mappings a container. */
import { Container } from "../../../mod.ts";
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { EDU, EDU2, LOW, MiB, PAGE } from "../support/machine.ts";
import { Places } from "../support/place.ts";
import { answer, must, RawContainer } from "../support/raw.ts";
import { refused } from "../support/refused.ts";

const LIMIT = 100;
const WORD = 64n * PAGE;
const wanted = {
  code: "ENOSPC",
  operation: "VFIO_IOMMU_MAP_DMA",
  rule: "map.entries",
  text: "failed with ENOSPC (28): no mapping is left: dma_entry_limit of vfio_iommu_type1 is 100 " +
    "mappings a container; use fewer, larger mappings, or load the module with a higher limit",
};

/** Makes so many mappings of one page. */
function fill(container: Container, count: number): Disposable {
  const memory = container.allocate(PAGE);
  for (let i = 0; i < count; i += 1) {
    container.map(memory, { iova: LOW + BigInt(i) * PAGE });
  }
  return memory;
}

describe("a limit of 100 mappings", () => {
  it("the 101st, raw: ENOSPC, also where it overlaps nothing else wrong", () => {
    using places = new Places();
    using container = new RawContainer();
    const request = { argsz: 32, flags: 3, vaddr: places.good, size: PAGE };
    for (let i = 0n; i < 100n; i += 1n) {
      must(container.map({ ...request, iova: LOW + i * PAGE }), `mapping ${i}`);
    }
    const iova = LOW + 100n * PAGE;
    equal(answer(container.map({ ...request, iova })), "ENOSPC");
    equal(answer(container.map({ ...request, iova: LOW })), "EEXIST", "an overlap goes first");
    equal(answer(container.map({ ...request, iova: 0xfee0_0000n })), "ENOSPC", "and a window last");
    const one = { argsz: 24, flags: 0, pgsize: 0n, bitmap_size: 0n, data: 0n };
    must(container.unmap({ ...one, iova: LOW, size: PAGE }).result, "UNMAP");
    equal(answer(container.map({ ...request, iova })), "OK");
  });

  it("is what info and pins tell, and what the message says", () => {
    using container = Container.open();
    using _group = container.attach(EDU);
    equal(container.info().dmaAvailable, LIMIT);
    const before = container.pins();
    using _memory = fill(container, LIMIT);
    equal([container.info().dmaAvailable, container.pins().since(before).dmaAvailable], [
      0,
      -LIMIT,
    ]);
    using more = container.allocate(MiB);
    refused(() => container.map(more, { iova: 2n * LOW }), wanted);
    equal([more.isMapped, container.mappings.length], [false, LIMIT]);
    const first = container.mappings[0]!;
    first[Symbol.dispose]();
    container.map(more, { iova: 2n * LOW });
    equal(container.unmapAll(), MiB + BigInt(LIMIT - 1) * PAGE);
    equal(container.pins().since(before), { locked: 0n, pinned: 0n, dmaAvailable: 0 });
  });

  it("met in the middle of pieces: those before are given back", () => {
    using container = Container.open();
    using _group = container.attach(EDU);
    using _memory = fill(container, LIMIT - 2);
    using more = container.allocate(3n * WORD);
    const before = container.pins();
    refused(() => container.map(more, { iova: 2n * LOW, pieceSize: WORD }), wanted);
    equal(container.pins().since(before), { locked: 0n, pinned: 0n, dmaAvailable: 0 });
    equal(more.isMapped, false);
    using _fits = container.map(more, { iova: 2n * LOW, pieceSize: WORD, size: 2n * WORD });
    equal(container.info().dmaAvailable, 0);
    container.unmapAll();
  });

  it("holds for each container, and 100 mappings read as one", () => {
    using one = Container.open();
    using _first = one.attach(EDU);
    using two = Container.open();
    using _second = two.attach(EDU2);
    using _a = fill(one, LIMIT);
    using _b = fill(two, LIMIT);
    using tracker = one.trackDirty();
    const size = BigInt(LIMIT) * PAGE;
    equal([...tracker.runs()], [{ iova: LOW, size, pages: LIMIT, label: "all-mapped" }]);
    one.unmapAll();
    two.unmapAll();
  });
});

describe("a forecast of 101 mappings", () => {
  it("stops at the 101st with ENOSPC, as the kernel does", () => {
    using container = Container.open();
    using _group = container.attach(EDU);
    const forecast = container.forecast([{ iova: LOW, size: PAGE, count: LIMIT + 1 }]);
    equal([forecast.fits, forecast.mappings, forecast.stop?.code], [false, LIMIT, "ENOSPC"]);
    using _memory = fill(container, LIMIT);
    equal(container.pins().dmaAvailable, forecast.dmaAvailable);
    equal(wanted.text.endsWith(forecast.stop?.reason ?? "-"), true);
    container.unmapAll();
  });
});
