/** The model against this kernel, on random requests of iommufd, on the mock IOMMU. */
import { MOCK } from "../../differential/machine.ts";
import { differentialTest } from "../../differential/register.ts";

await differentialTest(MOCK, 4000);
