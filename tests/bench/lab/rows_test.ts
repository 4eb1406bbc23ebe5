import { equal, rejects } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { LabProblem } from "../../lab/problem.ts";
import { judge } from "../row.ts";
import { table } from "../table.ts";
import type { LabReport, Parts, Stall } from "./report.ts";
import { labRows, rowsOf, tableRows } from "./rows.ts";

const parts = (kernel: number, scan: number, rest: number): Parts => ({ kernel, scan, rest });
const stall = (longest: number): Stall => ({ longest, took: 2 * longest });

const REPORT: LabReport = {
  drains: [{
    kind: "all mapped",
    gibibytes: 4,
    runs: 1,
    batches: [parts(4, 1, 1), parts(2, 1, 1), parts(40, 1, 1)],
    objects: [parts(4, 5, 1), parts(2, 5, 1), parts(40, 5, 1)],
    native: [parts(3, 0.5, 0.5), parts(1, 0.5, 0.5), parts(5, 0.5, 0.5)],
  }],
  stalls: [{
    layout: "1 MiB",
    use: "runs",
    start: stall(20),
    plain: [stall(1000), stall(2000), stall(900)],
    turning: [stall(10), stall(10), stall(10)],
    threaded: [stall(50), stall(200), stall(9)],
  }],
  idle: 3,
};

describe("the rows of the lab", () => {
  it("compare what was measured in the same round", () => {
    const rows = rowsOf(REPORT);
    const figures = rows.map((row) => [row.name, row.figure, judge(row)]);
    equal(figures, [
      ["drain in the lab, 4 GiB, all mapped, 1 run / C", 2, "met"],
      ["  of it the kernel", 2, "shown"],
      ["  of it the scan", 2, "shown"],
      ["  of it the rest", 2, "shown"],
      ["  with objects of bigints instead / C", 4, "shown"],
      [
        "stall in the lab, 512 MiB in windows of 1 MiB, with their runs: drainAsync / drain",
        0.05,
        "aim",
      ],
      ["  against drain with a turn between windows", 5, "shown"],
      ["  duration of the whole drain", 0.05, "shown"],
      ["  the first read, which starts the thread", 20, "shown"],
      ["stall in the lab while nothing is done, ms", 3, "shown"],
    ]);
    equal([rows[0]?.ours, rows[0]?.against], ["6.000 ms", "4.000 ms"]);
  });

  it("say why where there is no lab", async () => {
    const rows = await labRows(() => Promise.reject(new LabProblem("QEMU is not installed")));
    equal(rows.map(judge), ["unknown", "unknown"]);
    equal(table(rows).match(/not measured: QEMU is not installed$/gm)?.length, 2);
  });

  it("compare a page table with C", async () => {
    const report = { gibibytes: 1, runs: 7, ours: [12, 11, 30], native: [10, 10, 10] };
    const [row] = await tableRows(() => Promise.resolve(report));
    equal([row?.figure, judge(row!)], [1.2, "met"]);
    const slow = { ...report, ours: [16, 16, 16] };
    equal(judge((await tableRows(() => Promise.resolve(slow)))[0]!), "missed");
    const none = await tableRows(() => Promise.reject(new LabProblem("no kernel")));
    equal(none.map(judge), ["unknown"]);
    await rejects(() => tableRows(() => Promise.reject(new Error("no file"))), Error, "no file");
  });

  it("hide no other failure", async () => {
    await rejects(() => labRows(() => Promise.reject(new Error("no file"))), Error, "no file");
  });
});
