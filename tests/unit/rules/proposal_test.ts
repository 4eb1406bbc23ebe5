import { type Extent, ExtentSet } from "../../../lib/base/extent.ts";
import { proposalBitmap, proposalFault, type ProposalV9 } from "../../../lib/rules/proposal.ts";
import { equal } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

const PAGE = 4096n;
const MiB = 1n << 20n;
const VALIDATED: ProposalV9 = {
  bitmapSize: "validated",
  lowerBound: "smallest-iommu-page",
  unit: "u64",
  scope: "singleton",
};
const INFERRED: ProposalV9 = { ...VALIDATED, bitmapSize: "inferred", unit: "bytes" };
const ANY: ProposalV9 = { ...INFERRED, lowerBound: "any" };

const mappings = new ExtentSet<Extent>();
mappings.add({ iova: 0n, size: 256n * MiB });
mappings.add({ iova: 256n * MiB, size: MiB });

/** Why a range from 0 is refused, or "". */
function fault(size: bigint, bitmapSize: bigint, proposal: ProposalV9, iova = 0n): string {
  const space = { pageSize: PAGE, mappings };
  return proposalFault({ iova, size, bitmapSize }, space, proposal) ?? "";
}

function bitmap(size: bigint, bitmapSize: bigint, proposal: ProposalV9): bigint[] {
  const { pageSize, bits, bytes } = proposalBitmap({ iova: 0n, size, bitmapSize }, PAGE, proposal);
  return [pageSize, bits, bytes];
}

describe("the v9 series, bitmap_size", () => {
  it("validated, is a least length: one word less is refused, one more is not", () => {
    equal(fault(64n * PAGE, 8n, VALIDATED), "");
    equal(fault(65n * PAGE, 8n, VALIDATED), "the bitmap needs 16 bytes for 65 pages; got 8");
    equal(fault(65n * PAGE, 15n, VALIDATED), "the bitmap needs 16 bytes for 65 pages; got 15");
    equal(fault(65n * PAGE, 16n, VALIDATED), "");
    equal(fault(PAGE, 1n << 40n, VALIDATED), "");
    equal(fault(128n * MiB, 8n, VALIDATED), "the bitmap needs 4096 bytes for 32768 pages; got 8");
    equal(fault(PAGE, 0n, VALIDATED), "bitmap_size must be more than 0; got 0");
  });

  it("validated in bytes, lets one byte do for up to eight pages", () => {
    const bytes = { ...VALIDATED, unit: "bytes" } as const;
    equal(fault(PAGE, 1n, VALIDATED), "the bitmap needs 8 bytes for 1 pages; got 1");
    equal(fault(PAGE, 1n, bytes), "");
    equal(fault(8n * PAGE, 1n, bytes), "");
    equal(fault(9n * PAGE, 1n, bytes), "the bitmap needs 2 bytes for 9 pages; got 1");
    equal(bitmap(9n * PAGE, 2n, bytes), [PAGE, 9n, 2n]);
    equal(bitmap(9n * PAGE, 8n, VALIDATED), [PAGE, 9n, 8n]);
  });

  it("ignored, may be anything, and what is written follows from the range", () => {
    const ignored = { ...VALIDATED, bitmapSize: "ignored" } as const;
    for (const size of [0n, 1n, 8n, 1n << 63n]) equal(fault(128n * MiB, size, ignored), "");
    equal(bitmap(128n * MiB, 8n, ignored), [PAGE, 32768n, 4096n]);
    equal(bitmap(9n * PAGE, 0n, { ...ignored, unit: "bytes" }), [PAGE, 9n, 2n]);
  });

  it("inferred, makes the page of a bit the smallest power of two that fits", () => {
    equal(bitmap(128n * MiB, 8n, INFERRED), [2n * MiB, 64n, 8n]);
    equal(bitmap(128n * MiB + PAGE, 8n, INFERRED), [4n * MiB, 33n, 5n]);
    equal(bitmap(100n * MiB, 8n, INFERRED), [2n * MiB, 50n, 7n]);
    equal(bitmap(128n * MiB, 4096n, INFERRED), [PAGE, 32768n, 4096n]);
    equal(bitmap(128n * MiB, 1n, INFERRED), [16n * MiB, 8n, 1n]);
    equal(fault(128n * MiB, 0n, INFERRED), "bitmap_size must be more than 0; got 0");
  });

  it("inferred, ends at the smallest page of the IOMMU, or nowhere", () => {
    equal(bitmap(PAGE, 1n, INFERRED), [PAGE, 1n, 1n]);
    equal(bitmap(PAGE, 1n, ANY), [512n, 8n, 1n]);
    equal(bitmap(PAGE, 8n, ANY), [64n, 64n, 8n]);
    equal(bitmap(PAGE, 4096n, ANY), [1n, 4096n, 512n]);
    equal(bitmap(8n * PAGE, 1n, ANY), bitmap(8n * PAGE, 1n, INFERRED));
  });

  it("inferred from words, must be whole words", () => {
    const words = { ...INFERRED, unit: "u64" } as const;
    equal(fault(PAGE, 1n, words), "bitmap_size must be a multiple of 8; got 1");
    equal(fault(PAGE, 12n, words), "bitmap_size must be a multiple of 8; got 12");
    equal(fault(PAGE, 8n, words), "");
    equal(fault(PAGE, 12n, INFERRED), "");
  });

  it("never lets more be written than it says, unless it is ignored", () => {
    for (const proposal of [VALIDATED, INFERRED, ANY, { ...ANY, unit: "u64" } as const]) {
      for (let pages = 1n; pages <= 130n; pages += 1n) {
        for (const said of [1n, 3n, 8n, 9n, 16n, 24n]) {
          if (fault(pages * PAGE, said, proposal) !== "") continue;
          const [page = 0n, bits = 0n, bytes = 0n] = bitmap(pages * PAGE, said, proposal);
          equal(bytes <= said, true, `${pages} pages, ${said} bytes`);
          equal(bits * page >= pages * PAGE && (bits - 1n) * page < pages * PAGE, true);
        }
      }
    }
  });
});

describe("the v9 series, the range", () => {
  it("must not be empty, go beyond 2^64, or lie between pages", () => {
    equal(fault(0n, 8n, VALIDATED), "the size must be more than 0; got 0");
    const top = (1n << 64n) - PAGE;
    equal(
      fault(2n * PAGE, 8n, VALIDATED, top),
      "0xfffffffffffff000..0x10000000000000fff goes beyond 2^64",
    );
    equal(
      fault(PAGE, 8n, VALIDATED, top),
      "0xfffffffffffff000..0xffffffffffffffff must lie inside one mapping",
    );
    equal(
      fault(PAGE, 8n, VALIDATED, 512n),
      "iova must be a multiple of the page size 0x1000; got 0x200",
    );
    equal(
      fault(PAGE + 1n, 8n, VALIDATED),
      "size must be a multiple of the page size 0x1000; got 0x1001",
    );
    // A bit of 2 MiB does not need a range of whole ones.
    equal(fault(100n * MiB, 8n, INFERRED, PAGE), "");
  });

  it("may be a part of a page where a bit is", () => {
    equal(fault(512n, 1n, ANY, 512n), "");
    equal(fault(512n, 1n, ANY, 511n), "iova must be a multiple of the page size 0x40; got 0x1ff");
    equal(
      fault(512n, 1n, INFERRED, 512n),
      "iova must be a multiple of the page size 0x1000; got 0x200",
    );
  });

  it("lies inside one mapping, and may cut it", () => {
    equal(fault(PAGE, 8n, VALIDATED, 8n * PAGE), "");
    equal(fault(2n * PAGE, 8n, VALIDATED, 256n * MiB - 2n * PAGE), "");
    equal(
      fault(2n * PAGE, 8n, VALIDATED, 256n * MiB - PAGE),
      "0xffff000..0x10000fff must lie inside one mapping",
    );
    equal(
      fault(2n * PAGE, 8n, VALIDATED, 257n * MiB - PAGE),
      "0x100ff000..0x10100fff must lie inside one mapping",
    );
    equal(
      fault(PAGE, 8n, VALIDATED, 300n * MiB),
      "0x12c00000..0x12c00fff must lie inside one mapping",
    );
  });
});
