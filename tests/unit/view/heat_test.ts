import { HeatBuilder, type HeatData, renderHeatmap } from "../../../lib/view/mod.ts";
import { planCells } from "../../../lib/view/section.ts";
import { levelOf, LEVELS } from "../../../lib/view/scale.ts";
import { DirtyMap, type Extent } from "../../../mod.ts";
import { equal, match, ok, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { MAPPINGS, PAGE, roundOf, ROUNDS } from "./fixture.ts";

const dataOf = (
  rounds = ROUNDS,
  more: { maxColumns?: number; maxCells?: number } = {},
): HeatData => {
  const builder = new HeatBuilder({ pageSize: PAGE, mappings: MAPPINGS, ...more });
  for (const round of rounds) builder.add(round);
  return builder.data();
};

/** How bright a colour is. @see https://www.w3.org/TR/WCAG21/#dfn-relative-luminance */
function luminance(color: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16) / 255)
    .map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

describe("cells of a heat map", () => {
  it("are pages where there is room, and cover mappings only", () => {
    const { cellSize, cells, sections } = planCells(MAPPINGS, PAGE, 64);
    equal([cellSize, cells.length, sections.length], [PAGE, 20, 2]);
    equal(cells[0], { iova: 0x100000n, size: PAGE });
    equal(cells.at(-1), { iova: 0x4000_3000n, size: PAGE });
  });

  it("grow by powers of two, begin at multiples of their size, and lose no page", () => {
    const odd = [{ iova: 0x3000n, size: 13n * PAGE }];
    const { cellSize, cells } = planCells(odd, PAGE, 4);
    equal(cellSize, 4n * PAGE);
    equal(cells, [
      { iova: 0x3000n, size: PAGE },
      { iova: 0x4000n, size: 4n * PAGE },
      { iova: 0x8000n, size: 4n * PAGE },
      { iova: 0xc000n, size: 4n * PAGE },
    ]);
  });

  it("join mappings that touch, and keep the largest gaps where there are many", () => {
    const touching = [0n, 1n, 2n].map((i) => ({ iova: i * PAGE, size: PAGE }));
    equal(planCells(touching, PAGE, 64).sections.length, 1);
    const many = Array.from({ length: 100 }, (_, i): Extent => ({
      iova: BigInt(i) * 0x10_0000n + (i >= 50 ? 1n << 40n : 0n),
      size: PAGE,
    }));
    const { sections, cells } = planCells(many, PAGE, 64);
    equal(sections.length, 24);
    ok(cells.length <= 64);
    ok(sections.some(({ iova }) => iova === many[50]!.iova), "the largest gap is a break");
    for (const { iova } of many) {
      ok(cells.some((cell) => iova >= cell.iova && iova < cell.iova + cell.size));
    }
  });

  it("hold mappings up to the end of all addresses", () => {
    const top = [{ iova: (1n << 64n) - 2n * PAGE, size: 2n * PAGE }];
    equal(planCells(top, PAGE, 8).cells.length, 2);
  });
});

describe("HeatBuilder", () => {
  it("counts each page in its cell", () => {
    const { columns, cells } = dataOf();
    equal(columns.map(({ first, last, from, to }) => [first, last, from, to]), [
      [1, 1, 0, 1000],
      [2, 2, 1000, 2000],
      [3, 3, 2000, 3000],
    ]);
    for (const [i, { dirty, mapped }] of columns.entries()) {
      const set = cells.flatMap(({ iova }, row) => dirty[row] === 0 ? [] : [iova]);
      equal(set, [0x102000n, 0x103000n + BigInt(i + 1) * PAGE, 0x4000_1000n]);
      ok(mapped.every((pages) => pages === 1));
    }
  });

  it("joins rounds in pairs where there are more than columns, and loses none", () => {
    const rounds = Array.from(
      { length: 11 },
      (_, i) => roundOf(i + 1, [[0x100000n, 1], [0x101000n, i % 2]]),
    );
    const { columns } = dataOf(rounds, { maxColumns: 4 });
    equal(columns.map(({ first, last, rounds }) => [first, last, rounds]), [
      [1, 4, 4],
      [5, 8, 4],
      [9, 11, 3],
    ]);
    const sum = (row: number): number => columns.reduce((all, { dirty }) => all + dirty[row]!, 0);
    equal([sum(0), sum(1), sum(2)], [11, 5, 0]);
    equal(columns.map(({ hits }) => hits[1]), [2, 2, 1]);
  });

  it("knows what was mapped in which round", () => {
    const late = { mappings: MAPPINGS.slice(0, 1) };
    const { columns } = dataOf([roundOf(1, [[0x100000n, 1]], late), roundOf(2, [])]);
    equal([columns[0]!.mapped[19], columns[1]!.mapped[19]], [0, 1]);
    equal([levelOf(0, 0), levelOf(0, 1)], [undefined, 0]);
  });

  it("refuses pages of another size, and numbers that are too small", () => {
    const other = { ...roundOf(1, []), dirty: new DirtyMap(8192n) };
    throws(() => dataOf([other]), RangeError);
    throws(() => dataOf([], { maxColumns: 1 }), RangeError);
    throws(() => dataOf([], { maxCells: 0.5 }), RangeError);
  });
});

describe("renderHeatmap", () => {
  it("gives the same file for the same data", () => {
    equal(renderHeatmap(dataOf()), renderHeatmap(dataOf()));
    ok(renderHeatmap(dataOf()) !== renderHeatmap(dataOf(ROUNDS.slice(1))));
  });

  it("has steps whose brightness only falls, or on dark paper only rises, by enough to see", () => {
    const light = ["#eeeeea", ...LEVELS.map((level) => level.light)].map(luminance);
    const dark = ["#23262b", ...LEVELS.map((level) => level.dark)].map(luminance);
    for (let i = 1; i < LEVELS.length + 1; i += 1) {
      ok(light[i]! + 0.05 < (light[i - 1]! + 0.05) / 1.08, `light ${i}`);
      if (i > 1) ok(dark[i]! + 0.05 > (dark[i - 1]! + 0.05) * 1.15, `dark ${i}`);
    }
  });

  it("knows the step of each share", () => {
    equal([1, 3, 10, 30, 100, 300, 999, 1000].map((dirty) => levelOf(dirty, 1000)), [
      1,
      1,
      2,
      3,
      4,
      5,
      6,
      7,
    ]);
    // Dirty, and unmapped since: no page is lost.
    equal(levelOf(2, 0), 7);
  });

  it("shows addresses, breaks, rounds, page size and label", () => {
    const svg = renderHeatmap(dataOf(), { title: "a title", subtitle: "a line" });
    for (const text of ["0x100000", "0x40000000", "gap of 1022.9 MiB, not mapped", "page 4 KiB"]) {
      ok(svg.includes(text), text);
    }
    for (const text of [">a title<", ">a line<", ">pinned-scope<", ">3<", ">3 s<"]) {
      ok(svg.includes(text), text);
    }
    // The only dirty cells of the picture: two rows that go through, and three single ones.
    equal(svg.match(/class="l7" d="([^"]*)"/)?.[1]?.match(/M/g)?.length, 5);
    ok(!svg.includes("url(#heat-"), "nothing is by rule only");
  });

  it("breaks a long subtitle into lines, above the cells", () => {
    const words = Array.from({ length: 60 }, (_, i) => `word${i}`);
    const subtitle = [...words, "x".repeat(300)].join(" ");
    for (const kind of ["time", "address"] as const) {
      const svg = renderHeatmap(dataOf(), { subtitle, kind });
      const head = svg.slice(0, svg.indexOf('<g class="cells"'));
      const lines = [...head.matchAll(/<text class="ft" x="14" y="(\d+)">([^<]*)</g)];
      const width = Number(/viewBox="0 0 (\d+) /.exec(svg)?.[1]);
      ok(lines.every(([, , text]) => 14 + text!.length * 6.7 <= width));
      const said = lines.map(([, , text]) => text).join(" ");
      ok(words.every((word) => said.split(" ").includes(word)));
      equal(said.match(/x/g)?.length, 300);
      ok(!said.includes("…"));
      const top = Number(/<path class="l\d" d="M\d+ (\d+)/.exec(svg)?.[1]);
      ok(Number(lines.at(-1)?.[1]) < top, "a line of text lies over the cells");
    }
  });

  it("draws lines over what is dirty by rule, and says so", () => {
    for (
      const [label, pattern] of [["all-mapped", "hatched"], ["incomplete", "crossed"], [
        "unknown",
        "dotted",
      ]] as const
    ) {
      const rounds = [roundOf(1, [[0x100000n, 16]], { label }), roundOf(2, [])];
      const svg = renderHeatmap(dataOf(rounds));
      // Over each of the two sections, and once in the legend.
      equal(svg.match(new RegExp(`fill="url\\(#heat-${pattern}\\)"`, "g"))?.length, 3);
      match(svg, new RegExp(`>${label}[ :]`));
    }
  });

  it("says how many rounds are not there, also where they were joined", () => {
    const rounds = [1, 2, 5, 6, 7, 9].map((round) => roundOf(round, [[0x100000n, 1]]));
    for (const kind of ["time", "address"] as const) {
      match(
        renderHeatmap(dataOf(rounds), { kind }),
        /; 6 rounds in 9 s; incomplete: 3 rounds are missing; label/,
      );
    }
    match(
      renderHeatmap(dataOf(rounds.slice(0, 1).concat(roundOf(3, [])))),
      /: 1 round is missing;/,
    );
    ok(!renderHeatmap(dataOf()).includes("missing"));
  });

  it("draws address alone as one column", () => {
    const svg = renderHeatmap(dataOf(), { kind: "address" });
    match(svg, /rounds in which a page of the cell was dirty, of 3/);
    // Two cells in three of three rounds, three cells in one of them.
    equal(svg.match(/M\d+ \d+h420v/g)?.length, 2);
    equal(svg.match(/M\d+ \d+h140v/g)?.length, 3);
  });

  it("takes nothing for markup", () => {
    const svg = renderHeatmap(dataOf(), { title: `<script>"&'\x00\ud800`, id: `"><b` });
    ok(!/<script|<b/.test(svg));
    match(svg, /&lt;script&gt;&quot;&amp;&#39;\ufffd\ufffd</);
    equal(svg.match(/<text/g)?.length, svg.match(/<\/text>/g)?.length);
  });

  it("draws no rounds and no mappings too", () => {
    const none = new HeatBuilder({ pageSize: PAGE, mappings: [] }).data();
    match(renderHeatmap(none), /0 ranges; 0 rounds; label: none/);
    match(renderHeatmap(none, { kind: "address" }), /<\/svg>\n$/);
  });

  it("refuses options that nobody knows", () => {
    throws(() => renderHeatmap(dataOf(), JSON.parse(`{"kidn": "time"}`)), TypeError);
  });
});
