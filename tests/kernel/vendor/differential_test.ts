/** The model against this kernel, on random requests, with drivers that pin. */
import { differentialTest } from "../../differential/register.ts";
import { VENDOR } from "../../differential/machine.ts";

await differentialTest(VENDOR, 3000);
