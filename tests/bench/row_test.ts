import { equal } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { type Machine, markdown } from "./markdown.ts";
import { judge, median, missing, type Row, spread } from "./row.ts";
import { costRow, fasterRow, pool } from "./measure.ts";
import { setBitsOf } from "./scan/set_bits.ts";
import { table } from "./table.ts";

const row = (figure: number, better: "more" | "less"): Row => ({
  name: "x",
  ours: "1",
  against: "2",
  figure,
  spread: 0.1,
  better,
  must: 1,
  aim: better === "more" ? 2 : 0.5,
});

describe("a row of the bench", () => {
  it("is judged by the must, the aim and the spread", () => {
    const more = [2, 1.99, 1, 0.9, 0.89].map((figure) => judge(row(figure, "more")));
    equal(more, ["aim", "met", "met", "near", "missed"]);
    const less = [0.5, 0.51, 1, 1.1, 1.11].map((figure) => judge(row(figure, "less")));
    equal(less, ["aim", "met", "met", "near", "missed"]);
  });

  it("that was not measured is not met", () => {
    equal(judge(missing("x", 1, "no C compiler")), "unknown");
    equal(judge(row(NaN, "more")), "unknown");
    equal(table([missing("x", 1, "no C compiler")]).includes("not measured: no C compiler"), true);
  });

  it("that only explains another is shown, and judged by nothing", () => {
    const { must: _must, aim: _aim, ...plain } = row(9, "less");
    equal(judge(plain), "shown");
    equal(judge({ ...plain, missing: "no lab" }), "unknown");
    equal(/ 9\.00 +10 %$/m.test(table([plain])), true);
  });

  it("that need not be installed is not missed, but a compiler is", () => {
    const absent = { ...missing("x / numpy", 15, "not installed"), isOptional: true };
    equal(judge(absent), "absent");
    equal(judge({ ...missing("scan", 1, "no C compiler"), isOptional: false }), "unknown");
    equal(judge({ ...row(0.5, "more"), isOptional: true }), "missed");
  });

  it("is a line of Markdown, below the machine and the date", () => {
    const on: Machine = {
      date: "2026-11-24",
      processor: "P",
      cores: 2,
      kernel: "6.1",
      deno: "2.9.6",
      compiler: "cc 12",
      load: 0.25,
    };
    const absent = { ...missing("x | numpy", 15, "not installed"), isOptional: true };
    const lines = markdown([row(0.5, "more"), row(0.5, "less"), absent], on).split("\n");
    equal(
      lines[0],
      "Measured on 2026-11-24: P, 2 cores, Linux 6.1, Deno 2.9.6, cc 12, load 0.3 before.",
    );
    equal(lines.slice(4), [
      "| x | 1 | 2 | 0.50 | 10 % | ≥ 1 | 2 | **missed** |",
      "| x | 1 | 2 | 0.50 | 10 % | ≤ 1 | 0.5 | aim |",
      "| x \\| numpy |  |  |  |  | ≤ 15 |  | not measured: not installed |",
    ]);
  });

  it("compares round by round, with the best of the others in each", () => {
    const wanted = { name: "x", must: 1, amount: 8e6, unit: "GB/s" } as const;
    const faster = fasterRow(wanted, [2, 4, 1], [[8, 4, 9], [6, 9, 4]]);
    equal([faster.figure, faster.ours, faster.against], [3, "4.00 GB/s", "2.00 GB/s"]);
    equal(costRow({ ...wanted, unit: "ns" }, [6, 8, 9], [2, 2, 3]).figure, 3);
  });

  it("counts the rounds of all passes, and keeps what was not measured", () => {
    const wanted = { name: "x", must: 1, aim: 3, amount: 8e6, unit: "GB/s" } as const;
    const absent = missing("y", 15, "not installed");
    const passes = [[2, 4, 1], [8, 8, 8], [4, 2, 2]].map((ours) => [
      fasterRow(wanted, ours, [ours.map(() => 8)]),
      absent,
    ]);
    const [one, other] = pool(passes);
    equal(one, {
      name: "x",
      must: 1,
      aim: 3,
      figure: 2,
      spread: 0.75, // of 1 1 1 2 2 4 4 4 8
      ours: "2.00 GB/s",
      against: "1.00 GB/s",
      better: "more",
    });
    equal(other, absent);
  });

  it("has the median, and half of what the middle half spans", () => {
    equal([median([3, 1, 2]), median([4, 1, 2, 3])], [2, 2.5]);
    equal(spread([10, 8, 12, 100, 1]), 0.2);
  });

  it("says in the table what was missed", () => {
    const lines = table([row(0.5, "more"), row(2, "more")]).split("\n");
    equal([lines.length, lines[1]!.endsWith("MISSED"), lines[2]!.endsWith("aim")], [3, true, true]);
  });
});

describe("the places of set bits", () => {
  it("come in full batches and a rest", () => {
    const found: number[][] = [];
    const words = Uint32Array.of(0x8000_0001, 0, 0b110);
    setBitsOf(words, new Uint32Array(3), (places) => found.push([...places]));
    equal(found, [[0, 31, 65], [66]]);
    setBitsOf(Uint32Array.of(0b111), new Uint32Array(3), (places) => found.push([...places]));
    equal(found.slice(2), [[0, 1, 2]]);
  });
});
