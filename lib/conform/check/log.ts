/** What a device's own log of its writes answers. */

import { ADDRESS_END } from "../../rules/range.ts";
import type { Bench } from "../bench.ts";
import type { Check, Say } from "../check.ts";
import { type LogRange, RawLogger } from "../logger.ts";
import { NOWHERE, words } from "../place.ts";
import { answer } from "../raw.ts";

const PAGE = 4096n;
const HUGE = 0x20_0000n;
/** Where a device's pages begin in these checks: a multiple of 2 MiB. */
const AT = 0x100_0000n;

const range = (first: number, count: number): LogRange => [
  AT + BigInt(first) * PAGE,
  BigInt(count) * PAGE,
];

const check = (
  name: string,
  rule: string,
  run: (logger: RawLogger, say: Say, bench: Bench) => void,
): Check => ({
  name: `log: ${name}`,
  rule,
  needs: ["log"],
  run: (bench, say) => {
    using logger = new RawLogger(bench, bench.logging);
    run(logger, say, bench);
  },
});

/** START, and STOP if it worked. */
function once(logger: RawLogger, ranges: readonly LogRange[], page = PAGE, list?: bigint): string {
  const text = logger.start(ranges, page, list);
  if (!/^E/.test(text)) logger.stop();
  return text;
}

/** Reads bits into zeroed memory: a word, or the error. */
function bits(
  bench: Bench,
  logger: RawLogger,
  wanted: LogRange,
  page = PAGE,
  place?: bigint,
): string {
  const { address, bytes } = bench.places.bitmap;
  bytes.fill(0);
  const result = logger.report(wanted, page, place ?? address);
  return result < 0 ? answer(result) : words(bytes, 1);
}

const many = (count: number): LogRange[] =>
  Array.from({ length: count }, (_, i) => range(2 * i, 1));

const starts: readonly Check[] = [
  check("START without ranges", "log.none", (logger, say) => {
    say("none", once(logger, []));
    say("none, of pages of 3", once(logger, [], 3n));
  }),
  check("START with many ranges", "log.many", (logger, say) => {
    for (const count of [1, 255, 256, 257]) say(`${count} ranges`, once(logger, many(count)));
  }),
  check("START with a list that is not there", "log.copy", (logger, say) => {
    say("1 range", once(logger, many(1), PAGE, NOWHERE));
    say("257 ranges", once(logger, many(257), PAGE, NOWHERE));
  }),
  check("START with odd ranges", "log.align", (logger, say) => {
    say("an odd iova", once(logger, [[AT + 1n, PAGE]]));
    say("an odd length", once(logger, [[AT, PAGE + 1n]]));
    say(
      "the second one odd, the first at the end",
      once(logger, [[ADDRESS_END - PAGE, PAGE], [1n, 1n]]),
    );
    say("of larger pages", once(logger, [range(1, 1)], 2n * PAGE));
    say("length 0", once(logger, [[AT, 0n]]));
  }),
  check("START with ranges at the end", "log.wrap", (logger, say) => {
    say("up to 2^64", once(logger, [[ADDRESS_END - PAGE, PAGE]]));
    say("beyond", once(logger, [[ADDRESS_END - PAGE, 2n * PAGE]]));
    say("the page before the last", once(logger, [[ADDRESS_END - 2n * PAGE, PAGE]]));
  }),
  check("START with ranges that overlap", "log.overlap", (logger, say) => {
    say("beside each other", once(logger, [range(0, 4), range(4, 4)]));
    say("the same twice", once(logger, [range(0, 4), range(0, 4)]));
    say("one in the other", once(logger, [range(0, 4), range(1, 1)]));
    say("backwards", once(logger, [range(8, 4), range(4, 4)]));
  }),
  check("START twice, and STOP", "log.on", (logger, say) => {
    say("STOP first", logger.stop());
    say("START", logger.start([range(0, 64)], PAGE));
    say("START again", logger.start([range(0, 64)], PAGE));
    say("START again, without ranges", logger.start([], PAGE));
    say("STOP", logger.stop());
    say("STOP again", logger.stop());
    say("START then", once(logger, [range(0, 64)]));
  }),
  check("the page size that is granted", "log.page", (logger, say) => {
    const all: LogRange = [0n, 1n << 32n];
    for (const wish of [2048n, PAGE, 0x8000n, HUGE, 1n << 30n]) {
      say(`a wish of ${wish}`, once(logger, [all], wish));
    }
  }),
];

const reports: readonly Check[] = [
  check("REPORT without a log", "log.off", (logger, say, bench) => {
    say("before START", bits(bench, logger, range(0, 64)));
    logger.start([range(0, 64)], PAGE);
    say("after START", bits(bench, logger, range(0, 64)));
    logger.stop();
    say("after STOP", bits(bench, logger, range(0, 64)));
  }),
  check("REPORT of other pages", "log.report-page", (logger, say, bench) => {
    logger.start([range(0, 64)], PAGE);
    for (const page of [0n, 2048n, 3n * PAGE, 4n * PAGE]) {
      say(`pages of ${page}`, bits(bench, logger, range(0, 64), page));
    }
    say("pages of 2048, beyond 2^64", bits(bench, logger, [ADDRESS_END - PAGE, 2n * PAGE], 2048n));
  }),
  check("REPORT at the end", "log.report-wrap", (logger, say, bench) => {
    logger.start([range(0, 64)], PAGE);
    say("up to 2^64", bits(bench, logger, [ADDRESS_END - PAGE, PAGE]));
    say("beyond", bits(bench, logger, [ADDRESS_END - PAGE, 2n * PAGE]));
    say("the page before the last", bits(bench, logger, [ADDRESS_END - 2n * PAGE, PAGE]));
    logger.stop();
    say("without a log", bits(bench, logger, [ADDRESS_END - PAGE, PAGE]));
  }),
  check("written pages, once", "log.bits", (logger, say, bench) => {
    logger.start([range(0, 4), range(8, 56)], PAGE);
    say("3 of 12 pages are logged", logger.pinner.dirty(AT + 3n * PAGE, 8));
    say("read", bits(bench, logger, range(0, 64)));
    say("again", bits(bench, logger, range(0, 64)));
    logger.pinner.dirty(AT + 20n * PAGE, 4);
    say("a part", bits(bench, logger, range(22, 8)));
    say("the rest", bits(bench, logger, range(0, 64)));
    logger.pinner.dirty(AT + 20n * PAGE, 4);
    logger.stop();
    logger.start([range(0, 64)], PAGE);
    say("after STOP and START", bits(bench, logger, range(0, 64)));
    say("length 0", bits(bench, logger, range(0, 0)));
  }),
  check("pages of the log that are larger or smaller", "log.bits", (logger, say, bench) => {
    logger.start([range(0, 64)], PAGE);
    logger.pinner.dirty(AT + 5n * PAGE, 1);
    logger.pinner.dirty(AT + 9n * PAGE, 1);
    say("asked for 16 KiB", bits(bench, logger, range(0, 64), 4n * PAGE));
    logger.stop();
    logger.start([range(0, 64)], 4n * PAGE);
    logger.pinner.dirty(AT + 5n * PAGE, 1);
    say("kept by 16 KiB", bits(bench, logger, range(0, 64)));
    logger.pinner.dirty(AT + 5n * PAGE, 1);
    say("a part of a page of the log", bits(bench, logger, range(6, 1)));
    say("what is left of it", bits(bench, logger, range(0, 64)));
  }),
  check("bits that are set, and places that are not there", "log.bits", (logger, say, bench) => {
    logger.start([range(0, 64)], PAGE);
    logger.pinner.dirty(AT, 1);
    const { address, bytes } = bench.places.bitmap;
    bytes.fill(0).set([0x80]);
    logger.report(range(0, 64), PAGE, address);
    say("a bit that was set before", words(bytes, 1));
    logger.pinner.dirty(AT, 4);
    say("nowhere", bits(bench, logger, range(0, 64), PAGE, NOWHERE));
    say("afterwards", bits(bench, logger, range(0, 64)));
  }),
];

/** All checks of the file. */
export const logChecks: readonly Check[] = [...starts, ...reports];
