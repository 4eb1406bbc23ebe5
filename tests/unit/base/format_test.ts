import { formatSize, hex, parseSize, plural } from "../../../lib/base/format.ts";
import { equal, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

describe("hex", () => {
  it("writes both kinds of number in lower case", () => {
    equal([hex(0), hex(0n), hex(255), hex(0xdead_beefn)], ["0x0", "0x0", "0xff", "0xdeadbeef"]);
    equal(hex((1n << 64n) - 1n), "0xffffffffffffffff");
  });
});

describe("formatSize", () => {
  const cases: readonly (readonly [bigint | number, string])[] = [
    [0, "0 bytes"],
    [1, "1 byte"],
    [100n, "100 bytes"],
    [1023, "1023 bytes"],
    [1024, "1 KiB"],
    [1536, "1.5 KiB"],
    [65 << 10, "65 KiB"],
    [(1 << 20) - 1, "1 MiB"],
    [1 << 20, "1 MiB"],
    [(3n << 30n) / 2n, "1.5 GiB"],
    [64n << 20n, "64 MiB"],
    [(1n << 40n) - 1n, "1 TiB"],
    [1n << 40n, "1 TiB"],
    [(1n << 50n) + 1n, "1 PiB"],
    [1n << 60n, "1 EiB"],
    [1n << 64n, "16 EiB"],
    [1n << 70n, "1024 EiB"],
  ];
  for (const [bytes, text] of cases) {
    it(`writes ${bytes} as ${text}`, () => equal(formatSize(bytes), text));
  }

  it("rounds to one digit behind the point", () => {
    equal([formatSize(1075), formatSize(1076), formatSize(1178)], ["1 KiB", "1.1 KiB", "1.2 KiB"]);
  });
});

describe("parseSize", () => {
  const good: readonly (readonly [string, bigint])[] = [
    ["0", 0n],
    ["4096", 4096n],
    ["007", 7n],
    ["0x1000", 0x1000n],
    ["0XfF", 255n],
    ["64K", 64n << 10n],
    ["64k", 64n << 10n],
    ["64KiB", 64n << 10n],
    ["64KB", 64n << 10n],
    ["64kib", 64n << 10n],
    ["3M", 3n << 20n],
    ["1G", 1n << 30n],
    ["2T", 2n << 40n],
    ["1P", 1n << 50n],
    ["0x10K", 16n << 10n],
    ["0x1B", 27n],
    [" 64M\n", 64n << 20n],
    ["16383P", 16383n << 50n],
    ["18446744073709551615", (1n << 64n) - 1n],
    ["0xffffffffffffffff", (1n << 64n) - 1n],
  ];
  for (const [text, bytes] of good) {
    it(`reads ${JSON.stringify(text)}`, () => equal(parseSize(text), bytes));
  }

  const bad = ["", " ", "K", "1.5G", "-1", "+1", "64 K", "1E", "1KK", "0x", "0xG", "1e3", "1_000"]
    .concat(["1iB", "64B", "four", "0b11", "1,000", "0x1000 0x1000", "٣", "NaN", "Infinity"]);
  for (const text of bad) {
    it(`refuses ${JSON.stringify(text)} and says what it got`, () => {
      throws(() => parseSize(text), RangeError, `got ${JSON.stringify(text)}`);
    });
  }

  for (
    const text of ["18446744073709551616", "0x10000000000000000", "16384P", `${"9".repeat(99)}T`]
  ) {
    it(`refuses ${text}, which has more than 64 bits`, () => {
      throws(() => parseSize(text), RangeError, "below 2^64");
    });
  }

  it("reads what formatSize writes of whole units", () => {
    for (let bits = 10n; bits < 60n; bits += 1n) {
      equal(parseSize(formatSize(1n << bits).replace(" ", "")), 1n << bits);
    }
  });
});

describe("plural", () => {
  it("fits the noun to the number, and sets thousands apart", () => {
    equal([plural(0, "page"), plural(1, "page"), plural(1n, "run")], [
      "0 pages",
      "1 page",
      "1 run",
    ]);
    equal([plural(999, "page"), plural(1024, "page")], ["999 pages", "1,024 pages"]);
    equal(plural(2n ** 32n, "page"), "4,294,967,296 pages");
  });
});
