/** The tracker of a page table on the mock IOMMU of a real kernel. */
import { rawLinux as linux } from "../../../mod.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { hugePages } from "../support/huge_pages.ts";
import { DRAIN_CASES } from "./drain_cases.ts";

describe("hwpt.trackDirty on the mock IOMMU", () => {
  for (const { name, huge, run } of DRAIN_CASES) {
    it(name, () => {
      using stack = new DisposableStack();
      if (huge) stack.use(hugePages(16));
      run(linux);
    });
  }
});
