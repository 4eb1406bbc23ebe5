import { PinBook, type PinMode, type PinTotals } from "../../../lib/pins/pin_book.ts";
import { equal } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

const PAGE = 4096n;
const [ONE, TWO] = [1, 2];

/** Totals in pages: pinned, locked, the user's. */
const pages = ({ pinned, locked, user }: PinTotals): bigint[] =>
  [pinned, locked, user].map((bytes) => bytes / PAGE);

const slice = (origin: object, first: number, count: number) => ({
  origin,
  start: BigInt(first) * PAGE,
  size: BigInt(count) * PAGE,
});

describe("the book of pins", () => {
  it("pins at the first page table of an address space, and gives back at the last", () => {
    const book = new PinBook();
    book.add(ONE, {}, slice({}, 0, 8), "user");
    equal([pages(book.totals), book.mapped(ONE)], [[0n, 0n, 0n], 8n * PAGE]);
    book.setTables(ONE, 1);
    equal(pages(book.totals), [8n, 0n, 8n]);
    book.setTables(ONE, 2);
    book.setTables(ONE, 1);
    book.add(ONE, {}, slice({}, 0, 2), "user");
    equal(pages(book.totals), [10n, 0n, 10n]);
    book.setTables(ONE, 0);
    equal([pages(book.totals), book.hasTables(ONE)], [[0n, 0n, 0n], false]);
  });

  it("charges the process, the user or nobody, as it was when the memory was mapped", () => {
    const wanted: Record<PinMode, bigint[]> = {
      process: [4n, 4n, 0n],
      user: [4n, 0n, 4n],
      none: [4n, 0n, 0n],
    };
    for (const mode of ["process", "user", "none"] as const) {
      const book = new PinBook();
      book.setTables(ONE, 1);
      const origin = {};
      book.add(ONE, {}, slice(origin, 0, 2), mode);
      book.add(ONE, {}, slice(origin, 2, 2), "none"); // a copy has the mode of its memory
      equal(pages(book.totals), wanted[mode], mode);
    }
  });

  it("counts pages of one memory once, in however many address spaces", () => {
    const book = new PinBook();
    const [memory, first, copy, part] = [{}, {}, {}, {}];
    book.setTables(ONE, 1);
    book.add(ONE, first, slice(memory, 0, 8), "process");
    book.add(ONE, copy, slice(memory, 2, 4), "process");
    equal(pages(book.totals), [8n, 8n, 0n]);
    book.add(TWO, part, slice(memory, 6, 4), "process");
    equal(pages(book.totals), [8n, 8n, 0n], "no page table there");
    book.setTables(TWO, 1);
    equal(pages(book.totals), [10n, 10n, 0n]);
    book.remove(ONE, first);
    equal(pages(book.totals), [8n, 8n, 0n], "2 to 5, and 6 to 9");
    book.drop(TWO);
    equal(pages(book.totals), [4n, 4n, 0n]);
    book.remove(ONE, copy);
    book.remove(ONE, copy); // what is not there changes nothing
    equal(pages(book.totals), [0n, 0n, 0n]);
  });

  it("counts memory that is mapped twice twice", () => {
    const book = new PinBook();
    book.setTables(ONE, 1);
    for (const key of [{}, {}]) book.add(ONE, key, slice({}, 0, 8), "user");
    equal(pages(book.totals), [16n, 0n, 16n]);
  });

  it("counts whole pages of what is mapped by bytes", () => {
    const book = new PinBook();
    book.setTables(ONE, 1);
    const origin = {};
    book.add(ONE, {}, { origin, start: PAGE - 1n, size: 2n }, "none");
    equal(pages(book.totals), [2n, 0n, 0n]);
    book.add(ONE, {}, { origin, start: PAGE + 9n, size: 5n }, "none");
    equal(pages(book.totals), [2n, 0n, 0n]);
  });
});
