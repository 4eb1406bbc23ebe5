/** What any program may ask of the own kernel: type1 as elsewhere, and devices by their own nodes. */
import { describeConformance } from "../support/conform.ts";

describeConformance(["node: ATTACH to a page table", "ioas map: the same page again"], 400);
