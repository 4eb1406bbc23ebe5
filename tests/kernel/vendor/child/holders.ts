// What a user without rights sees of who holds VFIO.   usage: holders.ts PID
import { listHolders, pinsOf, VfioError } from "../../../../mod.ts";
import { report } from "../../support/child.ts";

const { holders, forbidden } = listHolders();
let missing = "no error";
try {
  pinsOf(4_194_303);
} catch (error) {
  if (!(error instanceof VfioError)) throw error;
  missing = error.code;
}
const isForbidden = forbidden.includes(Number(Deno.args[0]));
report({ isForbidden, holders: holders.length, missing });
