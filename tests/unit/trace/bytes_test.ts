import { isZero, packBytes, sameBytes, toHex, unpackBytes } from "../../../lib/trace/bytes.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { Random } from "../random.ts";

describe("packed bytes", () => {
  it("say what repeats once", () => {
    equal(packBytes(new Uint8Array(0)), "");
    equal(packBytes(Uint8Array.of(0, 1, 0xff)), "0001ff");
    equal(packBytes(new Uint8Array(4096)), "00*4096");
    const bitmap = new Uint8Array(20);
    bitmap[9] = 0x1e;
    bitmap.fill(0xff, 10);
    equal(packBytes(bitmap), "00*9 1e ff*10");
  });

  it("come back as they were", () => {
    const random = new Random(3);
    for (let round = 0; round < 200; round += 1) {
      const bytes = new Uint8Array(random.below(64));
      for (let at = 0; at < bytes.length;) {
        const end = at + 1 + random.below(12);
        bytes.fill(random.below(3), at, end);
        at = end;
      }
      equal(toHex(unpackBytes(packBytes(bytes))), toHex(bytes), packBytes(bytes));
    }
  });

  it("may be plain digits, with spaces", () => equal(toHex(unpackBytes(" 20 00\n1E ")), "20001e"));

  for (const text of ["2", "zz", "00*0", "*8", "0011*8", "00*-1", "00*8*8"]) {
    it(`are refused: ${text}`, () => void throws(() => unpackBytes(text), TypeError, "got"));
  }

  it("are never more than was asked for", () => {
    throws(() => unpackBytes("00*4294967296"), RangeError, "268435456 bytes at most");
    throws(() => unpackBytes("00*9", 8), RangeError, "8 bytes at most; got 9");
  });
});

describe("comparing bytes", () => {
  it("looks at each, and at the length", () => {
    ok(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2)));
    ok(!sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3)));
    ok(!sameBytes(Uint8Array.of(1), Uint8Array.of(1, 2)));
    ok(isZero(new Uint8Array(3)) && !isZero(Uint8Array.of(0, 1)));
  });
});
