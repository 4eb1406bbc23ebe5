/** What any program may ask, with two PCI devices. */
import { describeConformance } from "../support/conform.ts";

describeConformance(["map: the same page again", "setup: two containers at once"], 290);
