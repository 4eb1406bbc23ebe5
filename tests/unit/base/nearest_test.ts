import { nearest } from "../../../lib/base/nearest.ts";
import { equal } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

describe("nearest", () => {
  const words = ["info", "bind", "unbind", "dirty", "pins", "demo"];

  it("finds what was meant", () => {
    const cases = {
      ifno: "info",
      infos: "info",
      dirt: "dirty",
      dir: "dirty",
      dmeo: "demo",
      pin: "pins",
    };
    for (const [word, meant] of Object.entries(cases)) equal(nearest(word, words), meant, word);
  });

  it("does not guess wildly", () => {
    for (const word of ["x", "list", "frobnicate", ""]) {
      equal(nearest(word, words), undefined, word);
    }
  });
});
