/** A group that is not viable. */
import { describeConformance } from "../support/conform.ts";

describeConformance(["group: not viable"], 290);
