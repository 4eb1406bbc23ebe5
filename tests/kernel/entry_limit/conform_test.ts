/** A container that takes few mappings. */
import { describeConformance } from "../support/conform.ts";

describeConformance(["map: the entry limit"], 290);
