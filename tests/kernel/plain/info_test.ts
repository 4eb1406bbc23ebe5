/** What GET_INFO says, beside what the IOMMU says about itself in sysfs. */
import { Container } from "../../../mod.ts";
import { capabilities, vfio_iommu_type1_info } from "../../../lib/uapi/mod.ts";
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { addressLimit, EDU, LOW, PAGE, vtd } from "../support/machine.ts";
import { answer, must, RawContainer } from "../support/raw.ts";

/** The head (24), MIGRATION (32), DMA_AVAIL (12, takes 16), IOVA_RANGE with two ranges (48). */
const WHOLE = 120;

describe("container.info", () => {
  it("gives page sizes, ranges and limits as the facts have them", () => {
    using container = Container.open();
    using _group = container.attach(EDU);
    const { msi: [first, last], pageSizes } = vtd();
    equal([first, last], [0xfee0_0000n, 0xfeef_ffffn]);
    equal(container.info(), {
      backend: "type1",
      pageSizes,
      pageSize: PAGE,
      iovaRanges: [{ start: 0n, end: first - 1n }, { start: last + 1n, end: addressLimit() - 1n }],
      migration: { pageSizes: PAGE, maxBitmapBytes: 256n << 20n },
      dmaAvailable: 65535,
    });
    equal(container.pageSize, PAGE);
  });

  it("counts mappings down, whatever their size", () => {
    using container = Container.open();
    using _group = container.attach(EDU);
    using memory = container.allocate(3n * PAGE);
    using _one = container.map(memory, { iova: LOW, size: PAGE });
    using _two = container.map(memory, { iova: LOW + PAGE, size: 2n * PAGE, offset: PAGE });
    equal(container.info().dmaAvailable, 65533);
  });

  it("answers extensions", () => {
    using container = Container.open();
    // v1, v2, the name that nesting left behind, UNMAP_ALL.
    const known = [1, 3, 6, 9];
    const asked = (): number[] =>
      Array.from({ length: 12 }, (_, i) => i).filter((i) => container.supports(i));
    equal(asked(), known);
    using _group = container.attach(EDU);
    equal(asked(), [...known, 10], "UPDATE_VADDR is only known with an IOMMU");
  });
});

describe("GET_INFO, raw", () => {
  it("has the chain MIGRATION at 24, DMA_AVAIL at 56, IOVA_RANGE at 72", () => {
    using container = new RawContainer();
    const { result, bytes } = container.info(WHOLE);
    must(result, "GET_INFO");
    const { fields } = vfio_iommu_type1_info.over(bytes);
    equal({ ...fields }, {
      argsz: WHOLE,
      flags: 3,
      iova_pgsizes: vtd().pageSizes,
      cap_offset: 24,
      pad: 0,
    });
    equal([...capabilities(bytes, 24)].map(({ id, version, offset }) => [id, version, offset]), [
      [2, 1, 24],
      [3, 1, 56],
      [1, 1, 72],
    ]);
  });

  for (const argsz of [0, 8, 15]) {
    it(`argsz ${argsz}: EINVAL`, () => {
      using container = new RawContainer();
      equal(answer(container.info(argsz).result), "EINVAL");
    });
  }

  for (const argsz of [16, 24, 56, 119]) {
    it(`argsz ${argsz}: OK, says what it needs, and writes no further`, () => {
      using container = new RawContainer();
      const { result, bytes } = container.info(argsz, 200);
      equal(answer(result), "OK");
      const { fields } = vfio_iommu_type1_info.over(bytes);
      equal([fields.argsz, fields.flags, fields.cap_offset], [WHOLE, 3, 0]);
      equal(bytes.subarray(24).every((byte) => byte === 0), true, "no capability was written");
    });
  }
});
