import { judge, type Row, type Verdict } from "./row.ts";

/** What was measured on. */
export interface Machine {
  readonly date: string;
  readonly processor: string;
  readonly cores: number;
  readonly kernel: string;
  readonly deno: string;
  readonly compiler: string;
  /** Average load of the last minute, before. */
  readonly load: number;
}

const WORDS: Readonly<Record<Verdict, string>> = {
  aim: "aim",
  met: "met",
  near: "within the spread",
  missed: "**missed**",
  unknown: "**not measured**",
  absent: "not measured",
  shown: "",
};

/** Reads what this machine is; a compiler that is not there is "none". */
export async function machine(): Promise<Machine> {
  const cpus = await Deno.readTextFile("/proc/cpuinfo");
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: /^model name\s*: (.*)$/m.exec(cpus)?.[1] ?? Deno.build.arch,
    cores: navigator.hardwareConcurrency,
    kernel: Deno.osRelease(),
    deno: Deno.version.deno,
    compiler: await compiler(),
    load: Deno.loadavg()[0] ?? NaN,
  };
}

async function compiler(): Promise<string> {
  try {
    const { stdout } = await new Deno.Command("cc", { args: ["--version"] }).output();
    return new TextDecoder().decode(stdout).split("\n", 1)[0] ?? "";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "none";
    throw error;
  }
}

const cells = (values: readonly string[]): string =>
  `| ${values.map((value) => value.replaceAll("|", "\\|")).join(" | ")} |`;

function line(row: Row): string {
  const { name, ours, against, figure, must, aim, missing } = row;
  const wanted = must === undefined ? "" : `${row.better === "more" ? "≥" : "≤"} ${must}`;
  const verdict = WORDS[judge(row)];
  if (missing !== undefined) {
    return cells([name, "", "", "", "", wanted, `${aim ?? ""}`, `${verdict}: ${missing}`]);
  }
  const spread = row.spread === undefined ? "" : `${(row.spread * 100).toFixed(0)} %`;
  return cells([name, ours, against, figure.toFixed(2), spread, wanted, `${aim ?? ""}`, verdict]);
}

/** The rows and the machine, as docs/speed.md has them. */
export function markdown(rows: readonly Row[], on: Machine): string {
  return [
    `Measured on ${on.date}: ${on.processor}, ${on.cores} cores, Linux ${on.kernel}, ` +
    `Deno ${on.deno}, ${on.compiler}, load ${on.load.toFixed(1)} before.`,
    "",
    cells(["what", "ours", "theirs", "figure", "spread", "must", "aim", ""]),
    cells(["---", "--:", "--:", "--:", "--:", "--:", "--:", "---"]),
    ...rows.map(line),
  ].join("\n");
}
