/** The model against this kernel, on random requests to containers behind an IOMMU. */
import { differentialTest } from "../../differential/register.ts";
import { PLAIN } from "../../differential/machine.ts";

await differentialTest(PLAIN, 6000);
