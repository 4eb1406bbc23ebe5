/** Page tables and their dirty bits, on the mock IOMMU. */
import { describeConformance } from "../support/conform.ts";

describeConformance(["hwpt dirty: a hole ends the walk", "hwpt: ALLOC with flags"], 130);
