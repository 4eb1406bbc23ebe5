/** A driver that logs its device's writes and migrates it, beside all that any program may ask. */
import { describeConformance } from "../support/conform.ts";

describeConformance(["log: written pages, once", "migration: from each state to each"], 450);
