import { ModelKernel } from "../../../lib/model/mod.ts";
import { equal, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

describe("a scene", () => {
  it("is refused with what it names that no scene has", () => {
    const bad: [object, RegExp][] = [
      [{ propsal: {} }, /Unknown option "propsal"; did you mean "proposal"\?/],
      [{ proposal: { unit: "byte" } }, /unit must be "u64" or "bytes"; got the string "byte"/],
      [{ ipcLock: "no" }, /ipcLock must be true or false; got the string "no"/],
      [{ memlock: 4096 }, /memlock must be a bigint, as 0x1000n; got the number 4096/],
      [{ profile: "5.4" }, /A profile must be one of 6.1, 6.12, own, 7; got 5.4/],
    ];
    for (const [scene, text] of bad) throws(() => new ModelKernel(scene), TypeError, text);
  });

  it("may leave everything out", () => equal(new ModelKernel({}).openFiles, 0));
});
