/** The tracker of a page table on the model, held to what the mock IOMMU of a real kernel shows. */
import { LAB_SCENES, ModelKernel } from "../../lib/model/mod.ts";
import { DRAIN_CASES } from "../kernel/mock/drain_cases.ts";
import { equal } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

describe("hwpt.trackDirty on the model", () => {
  for (const { name, run } of DRAIN_CASES) {
    it(name, () => {
      const kernel = new ModelKernel(LAB_SCENES.mock);
      run(kernel);
      equal([kernel.openFiles, kernel.openMappings], [0, 0]);
    });
  }
});
