import { flagNames, valueName } from "../../../lib/uapi/flag_name.ts";
import { equal } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

const NAMES = { A: 1, B: 2, TOP: 0x8000_0000, BOTH: 0x30 };

describe("flagNames", () => {
  it("joins names, and keeps what has none", () => {
    equal(flagNames(3, NAMES), "A|B");
    equal(flagNames(0, NAMES), "0");
    equal(flagNames(4, NAMES), "0x4");
    equal(flagNames(0x31, NAMES), "A|BOTH");
    equal(flagNames(0x10, NAMES), "0x10");
    equal(flagNames(1n << 63n, NAMES), "0x8000000000000000");
  });
  it("knows the top bit, also as a negative number", () => {
    equal(flagNames(0x8000_0001, NAMES), "A|TOP");
    equal(flagNames(0x8000_0001 | 0, NAMES), "A|TOP");
  });
  it("leaves out a name without bits", () => equal(flagNames(1, { NONE: 0, A: 1 }), "A"));
});

describe("valueName", () => {
  it("gives name and number, or the number alone", () => {
    equal(valueName(2, { RUNNING: 2 }), "RUNNING (2)");
    equal(valueName(2n, { RUNNING: 2 }), "RUNNING (2)");
    equal(valueName(3, { RUNNING: 2 }), "3");
    equal(valueName(1.5, { RUNNING: 2 }), "1.5");
  });
});
