// The struct of the v9 series is in no header, so it is declared here, as the series did, and a C
// compiler says where its members lie. What the compiler is told stands beside what must come out,
// so that a machine without one still holds the numbers.
import { proposal_v9 } from "../../lib/uapi/mod.ts";
import * as shipped from "../../lib/uapi/mod.ts";
import { equal, ok } from "../std/assert.ts";
import { describe, it, skip } from "../std/testing.ts";
import { evaluate, findCompiler } from "./compiler.ts";
import { constants, type Fact, formOf, forms } from "./tables.ts";

/** Our own declaration; the folder's linux/vfio.h and linux/iommufd.h stand before the system's. */
const HEADER = `#include <linux/types.h>
#include <linux/ioctl.h>
#define VFIO_TYPE (';')
#define VFIO_BASE 100
#define VFIO_IOMMU_GET_DIRTY_BITMAP _IO(VFIO_TYPE, VFIO_BASE + 17)
#define VFIO_IOMMU_UNMAP_DMA_GET_BITMAP _IO(VFIO_TYPE, VFIO_BASE + 18)
struct vfio_iommu_type1_dirty_bitmap {
	__u32 argsz;
	__u32 flags;
	__u64 iova, size, bitmap_size;
	void *bitmap;
};
`;

const TAG = "vfio_iommu_type1_dirty_bitmap";
const { self, members } = formOf(TAG, proposal_v9.vfio_iommu_type1_dirty_bitmap);
const numbers = ["VFIO_IOMMU_GET_DIRTY_BITMAP", "VFIO_IOMMU_UNMAP_DMA_GET_BITMAP"] as const;
const facts: readonly Fact[] = [
  self,
  ...members,
  ...numbers.map((key) => ({
    key,
    values: [proposal_v9[key]],
    expressions: [`(unsigned int)(${key})`],
  })),
];

describe("the struct of the v9 series", () => {
  it("has 40 bytes, and its members where the series had them", () => {
    equal(proposal_v9.vfio_iommu_type1_dirty_bitmap.size, 40);
    equal(proposal_v9.vfio_iommu_type1_dirty_bitmap.offsets, {
      argsz: 0,
      flags: 4,
      iova: 8,
      size: 16,
      bitmap_size: 24,
      bitmap: 32,
    });
  });

  it("is kept apart from what shipped under its number and its tag", () => {
    equal(proposal_v9.VFIO_IOMMU_GET_DIRTY_BITMAP, shipped.VFIO_IOMMU_DIRTY_PAGES);
    equal(shipped.vfio_iommu_type1_dirty_bitmap.size, 8);
    ok(!constants.some(({ key }) => key === "VFIO_IOMMU_GET_DIRTY_BITMAP"));
    equal(forms.find(({ tag }) => tag === TAG)?.self.values, [8, 4]);
  });

  const compiler = findCompiler();
  if (compiler === undefined) {
    skip("agrees with a C compiler", "there is none: apt-get install gcc, or set CC");
    return;
  }

  async function compiled(header: string): Promise<Map<string, number[]>> {
    const headers = await Deno.makeTempDir({ prefix: "pinscope-abi-" });
    try {
      await Deno.mkdir(`${headers}/linux`);
      await Deno.writeTextFile(`${headers}/linux/vfio.h`, header);
      await Deno.writeTextFile(`${headers}/linux/iommufd.h`, "");
      return await evaluate({ compiler: compiler ?? "", headers }, facts);
    } finally {
      await Deno.remove(headers, { recursive: true });
    }
  }
  const ours = new Map(facts.map(({ key, values }) => [key, [...values]]));

  it("agrees with a C compiler", async () => equal(await compiled(HEADER), ours));

  it("differs where the declaration does", async () => {
    const found = await compiled(HEADER.replace("__u32 flags;", "__u64 flags;"));
    equal(found.get(`${TAG}.iova`), [16, 8, 0]);
    equal(found.get(`${TAG}.argsz`), ours.get(`${TAG}.argsz`));
  });
});
