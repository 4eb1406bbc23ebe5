import { judge, type Row, type Verdict } from "./row.ts";

const MARKS: Readonly<Record<Verdict, string>> = {
  aim: "aim",
  met: "met",
  near: "within the spread",
  missed: "MISSED",
  unknown: "",
  absent: "",
  shown: "",
};

/** The rows as a table: the figure, what is wanted, and how far the measured ratios lie apart. */
export function table(rows: readonly Row[]): string {
  const width = Math.max(...rows.map((row) => row.name.length));
  const column = (text: string, length: number): string => text.padStart(length);
  const head = `${"".padEnd(width)}  ${column("ours", 11)} ${column("against", 11)}` +
    `  ${column("figure", 8)} ${column("spread", 6)}  ${column("must", 7)} ${column("aim", 6)}`;
  const lines = rows.map((row) => {
    const name = row.name.padEnd(width);
    if (row.missing !== undefined) return `${name}  not measured: ${row.missing}`;
    const spread = row.spread === undefined ? "" : `${(row.spread * 100).toFixed(0)} %`;
    const sign = row.better === "more" ? ">=" : "<=";
    const must = row.must === undefined ? "" : `${sign}${row.must}`;
    return `${name}  ${column(row.ours, 11)} ${column(row.against, 11)}` +
      `  ${column(row.figure.toFixed(2), 8)} ${column(spread, 6)}` +
      `  ${column(must, 7)} ${column(row.aim?.toString() ?? "", 6)}` +
      `  ${MARKS[judge(row)]}`;
  }).map((line) => line.trimEnd());
  return [head, ...lines].join("\n");
}
