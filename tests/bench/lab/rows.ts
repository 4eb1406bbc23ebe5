import { LabProblem } from "../../lab/problem.ts";
import { median, missing, type Row, spread } from "../row.ts";
import { measureInLab, measureTables } from "./boot.ts";
import {
  type DrainReport,
  type LabReport,
  type Parts,
  type Stall,
  type StallReport,
  type TableReport,
  whole,
} from "./report.ts";

/** What a whole drain may cost, compared with C. */
const DRAIN = { must: 3, aim: 1.5 } as const;
/** What reading a page table's dirty bits may cost, compared with C. */
const TABLE = { must: 1.5, aim: 1.1 } as const;
/** What may be left of the stall of the event loop. */
const STALL = { must: 0.5, aim: 0.1 } as const;

const milliseconds = (value: number): string => `${value.toFixed(value < 10 ? 3 : 0)} ms`;

/** A row of two series that were measured in turns, with their ratio. */
function compare(
  name: string,
  ours: readonly number[],
  others: readonly number[],
  wanted: Pick<Row, "must" | "aim"> = {},
): Row {
  const ratios = ours.map((value, round) => value / others[round]!);
  return {
    name,
    ours: milliseconds(median(ours)),
    against: milliseconds(median(others)),
    figure: median(ratios),
    spread: spread(ratios),
    better: "less",
    ...wanted,
  };
}

function drainRows({ kind, gibibytes, runs, batches, objects, native }: DrainReport): Row[] {
  const name = `drain in the lab, ${gibibytes} GiB, ${kind}, ${runs} ${
    runs === 1 ? "run" : "runs"
  }`;
  const part = (what: keyof Parts, text: string): Row =>
    compare(
      `  of it ${text}`,
      batches.map((parts) => parts[what]),
      native.map((parts) => parts[what]),
    );
  return [
    compare(`${name} / C`, batches.map(whole), native.map(whole), DRAIN),
    part("kernel", "the kernel"),
    part("scan", "the scan"),
    part("rest", "the rest"),
    compare("  with objects of bigints instead / C", objects.map(whole), native.map(whole)),
  ];
}

const longest = (stalls: readonly Stall[]): number[] => stalls.map((stall) => stall.longest);
const took = (stalls: readonly Stall[]): number[] => stalls.map((stall) => stall.took);

const USES: Readonly<Record<string, string>> = {
  nothing: "windows only",
  runs: "with their runs",
};

function stallRows({ layout, use, plain, turning, threaded, start }: StallReport): Row[] {
  const name = `stall in the lab, 512 MiB in windows of ${layout}, ${USES[use]}`;
  return [
    compare(`${name}: drainAsync / drain`, longest(threaded), longest(plain), STALL),
    compare("  against drain with a turn between windows", longest(threaded), longest(turning)),
    compare("  duration of the whole drain", took(threaded), took(plain)),
    {
      name: "  the first read, which starts the thread",
      ours: milliseconds(start.longest),
      against: "",
      figure: start.longest,
      better: "less",
    },
  ];
}

/** What the lab has measured, as rows. */
export function rowsOf({ drains, stalls, idle }: LabReport): Row[] {
  return [
    ...drains.flatMap(drainRows),
    ...stalls.flatMap(stallRows),
    {
      name: "stall in the lab while nothing is done, ms",
      ours: milliseconds(idle),
      against: "",
      figure: idle,
      better: "less",
    },
  ];
}

/** What the own kernel's mock IOMMU has measured, as a row. */
export function tableRow({ gibibytes, runs, ours, native }: TableReport): Row {
  const name = `page table in the lab, ${gibibytes} GiB on the mock IOMMU, ${runs} runs / C`;
  return compare(name, ours, native, TABLE);
}

/** Measures a page table's dirty bits on the lab's own kernel. */
export async function tableRows(
  measure: () => Promise<TableReport> = measureTables,
): Promise<Row[]> {
  try {
    return [tableRow(await measure())];
  } catch (error) {
    if (!(error instanceof LabProblem)) throw error;
    const [reason = ""] = error.message.split("\n");
    return [missing("page table in the lab, 1 GiB on the mock IOMMU / C", TABLE.must, reason)];
  }
}

/** Measures on a real kernel, in the lab's machine: some minutes. */
export async function labRows(measure: () => Promise<LabReport> = measureInLab): Promise<Row[]> {
  try {
    return rowsOf(await measure());
  } catch (error) {
    if (!(error instanceof LabProblem)) throw error;
    const [reason = ""] = error.message.split("\n");
    return [
      missing("drain in the lab / C", DRAIN.must, reason),
      missing("stall in the lab, drainAsync / drain", STALL.must, reason),
    ];
  }
}
