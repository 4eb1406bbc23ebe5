import { constants } from "node:os";
import { ERRNO, errnoName } from "../../../lib/base/errno.ts";
import { equal, ok } from "../../std/assert.ts";
import { describe, it, skip } from "../../std/testing.ts";

describe("errno", () => {
  const same = Deno.build.os === "linux";
  const name = "has the numbers of this system";
  if (!same) skip(name, "only Linux numbers errors so");
  else {
    it(name, () => {
      const system: Readonly<Record<string, number>> = constants.errno;
      const known = Object.entries(ERRNO).filter(([code]) => system[code] !== undefined);
      // node:os leaves out a few, as EBADFD.
      ok(known.length > 40, `only ${known.length} could be compared`);
      equal(known, known.map(([code]) => [code, system[code]]));
    });
  }

  it("has those that the system's list leaves out", () => {
    equal([ERRNO.EBADFD, ERRNO.EREMOTEIO], [77, 121]);
  });

  it("gives each number one name", () => {
    const numbers = Object.values(ERRNO);
    equal(new Set(numbers).size, numbers.length);
    for (const [code, number] of Object.entries(ERRNO)) equal(errnoName(number), code);
  });

  it("names a number that it does not know by the number", () => {
    equal(errnoName(999), "errno 999");
  });
});
