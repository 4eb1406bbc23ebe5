/** An IOMMU that does not remap interrupts: little can be asked. */
import { describeConformance } from "../support/conform.ts";

describeConformance(["setup: SET_IOMMU where interrupts are not remapped"], 10);
