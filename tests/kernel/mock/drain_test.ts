/** The tracker of a page table on the mock IOMMU of a real kernel. */
import { rawLinux as linux } from "../../../mod.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { setting } from "../support/machine.ts";
import { DRAIN_CASES } from "./drain_cases.ts";

const HUGE_PAGES = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";

describe("hwpt.trackDirty on the mock IOMMU", () => {
  for (const { name, huge, run } of DRAIN_CASES) {
    it(name, () => {
      using stack = new DisposableStack();
      if (huge) stack.use(setting(HUGE_PAGES, "16"));
      run(linux);
    });
  }
});
