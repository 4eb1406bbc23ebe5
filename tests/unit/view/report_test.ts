import {
  renderReport,
  ReportBuilder,
  type ViewHead,
  type ViewRound,
} from "../../../lib/view/mod.ts";
import { scriptJson } from "../../../lib/view/text.ts";
import { equal, match, ok } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { HEAD, MAPPINGS, roundOf, ROUNDS } from "./fixture.ts";

function built(rounds: readonly ViewRound[] = ROUNDS, head: ViewHead = HEAD): ReportBuilder {
  const builder = new ReportBuilder(head, MAPPINGS);
  for (const round of rounds) builder.add(round);
  return builder;
}

describe("a report of rounds of which some are lost", () => {
  it("says that it is incomplete", () => {
    const html = renderReport(built([ROUNDS[0]!, ROUNDS[2]!]).data());
    match(html, /<dt>rounds<\/dt><dd>2 in 2 s; incomplete: 1 round is missing<\/dd>/);
    ok(!renderReport(built().data()).includes("missing"));
  });
});

describe("ReportBuilder", () => {
  it("sums up rounds", () => {
    const data = built().data();
    equal([data.rounds, data.time, data.pages], [3, 3000, { least: 3, mean: 3, most: 3 }]);
    equal([data.once, data.always], [5, 2]);
    equal(data.mappings.map(({ pages, once, always }) => [pages, once, always]), [
      [16, 4, 1],
      [4, 1, 1],
    ]);
    // All three pages are new in the first round, and one in each of the others.
    equal(data.rates.map(({ rate, fresh }) => [rate, fresh]), [
      [12288, 12288],
      [12288, 4096],
      [12288, 4096],
    ]);
    equal(data.labels, [["pinned-scope", 3]]);
    equal(data.accounts.map(([round]) => round), [1, 3]);
  });

  it("lists what is pinned, by mapping", () => {
    const { runs, isPinnedKnown, moreRuns } = built().data();
    equal([isPinnedKnown, moreRuns], [true, 0]);
    equal(runs, [
      { iova: 0x102000n, size: 4096n, pages: 1, page: 2, always: 1 },
      { iova: 0x4000_1000n, size: 4096n, pages: 1, page: 1, always: 1 },
    ]);
  });

  it("lists what was dirty in each round where no second read tells, and nothing by rule", () => {
    const plain = [1, 2].map((round) => roundOf(round, [[0x100000n, 2], [0x102000n, round - 1]]));
    const data = built(plain).data();
    equal(data.runs.map(({ iova, pages }) => [iova, pages]), [[0x100000n, 2]]);
    match(renderReport(data), /Pinned all the time, or written in each round/);
    const ruled = built([roundOf(1, [[0x100000n, 16]], { label: "all-mapped" })]).data();
    equal(ruled.runs, []);
    match(renderReport(ruled), /Pinned pages cannot be told apart here/);
  });

  it("keeps the largest runs where there are very many", () => {
    const size = 10_000n * 4096n;
    const builder = new ReportBuilder(HEAD, [{ iova: 0n, size }]);
    const runs = Array.from(
      { length: 2500 },
      (_, i) => [BigInt(i * 4) * 4096n, 1 + i % 3] as const,
    );
    builder.add({ ...roundOf(1, runs), mappings: [{ iova: 0n, size }] });
    const { runs: kept, moreRuns } = builder.data();
    equal([kept.length, moreRuns], [2000, 500]);
    // 833 runs have two pages and 833 three; of those with one, 334 are kept.
    equal(kept.filter(({ pages }) => pages === 1).length, 334);
    ok(kept.every(({ iova }, i) => i === 0 || iova > kept[i - 1]!.iova));
  });

  it("writes the same page for the same data, also without a round", () => {
    equal(renderReport(built().data()), renderReport(built().data()));
    match(renderReport(built([]).data()), /<\/html>\n$/);
  });
});

describe("renderReport", () => {
  it("tells what was measured, how, and what dirty means", () => {
    const page = renderReport(built().data());
    for (
      const text of [
        "pinscope report 0000:00:10.0 -o r.html",
        "6.12.0-test",
        "3 in 3 s",
        "maybe written",
        "8 MiB",
        "65,533",
      ]
    ) ok(page.includes(text), text);
  });

  it("names nothing outside itself, and forbids the browser to load it", () => {
    const page = renderReport(built().data());
    match(page, /default-src 'none'/);
    const outside = [...page.matchAll(/(?:src|href)=|url\((?!#)|https?:\/\/[^"]*/g)].map(([text]) =>
      text
    );
    ok(outside.length > 0, "the names of SVG are seen");
    equal(outside.filter((text) => text !== "http://www.w3.org/2000/svg"), []);
  });

  it("takes nothing for markup", () => {
    const evil = `</script><script>alert(1)</script><img src=x onerror=alert(2)>"'&`;
    const head = {
      ...HEAD,
      devices: [evil],
      command: evil,
      kernel: evil,
      started: evil,
      source: evil,
    };
    const page = renderReport(built(ROUNDS, head).data());
    ok(!/<img|<script>alert/.test(page));
    equal(page.match(/<script/g)?.length, 2);
    equal(page.match(/<\/script>/g)?.length, 2);
    equal(
      scriptJson({ a: "</script>\u2028", b: 16n }),
      `{"a":"\\u003c/script\\u003e\\u2028","b":"0x10"}`,
    );
  });
});
