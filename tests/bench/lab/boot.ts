import { parse } from "../../lab/cli.ts";
import { Lab, project } from "../../lab/lab.ts";
import { Kept } from "../../lab/output.ts";
import { LabProblem } from "../../lab/problem.ts";
import { profileNamed } from "../../lab/profiles.ts";
import type { LabReport, TableReport } from "./report.ts";

/** MiB of the guest's memory: its kernel keeps 512 MiB of bitmap, and a drain has 256 MiB beside it. */
const MEMORY = "3072";
/** Seconds after which the guest is stopped. */
const TIMEOUT = "3600";

/** The C program is built for a processor with AVX2, which the emulated one has. */
const FLAGS = ["-O3", "-march=x86-64-v3", "-Wall", "-Wextra", "-Werror"];

/** Compiles the C program. */
async function compile(): Promise<Uint8Array> {
  const source = new URL("./drain.c", import.meta.url).pathname;
  const file = await Deno.makeTempFile();
  try {
    const { success, stderr } = await new Deno.Command("cc", {
      args: [...FLAGS, "-o", file, source],
    }).output();
    if (!success) throw new LabProblem(new TextDecoder().decode(stderr).trim());
    return await Deno.readFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new LabProblem("no C compiler: install gcc");
    }
    throw error;
  } finally {
    await Deno.remove(file);
  }
}

/**
 * Boots the lab and measures in it.
 *
 * @param only Measures these alone.
 * @throws {LabProblem} If there is no lab here, or no compiler.
 */
export async function measureInLab(only?: "drains" | "stalls"): Promise<LabReport> {
  return await boot("vendor", "guest.ts", only) as LabReport;
}

/**
 * Boots the lab's own kernel and measures reads of a page table's dirty bits on the mock IOMMU.
 *
 * @throws {LabProblem} If there is no lab here, or no compiler.
 */
export async function measureTables(): Promise<TableReport> {
  return await boot("mock", "guest_table.ts") as TableReport;
}

async function boot(profile: "vendor" | "mock", file: string, only?: string): Promise<unknown> {
  const program = await compile();
  const signal = new AbortController().signal;
  const own = profile === "mock" ? ["--own"] : [];
  const options = ["prepare", "--memory", MEMORY, "--timeout", TIMEOUT, ...own];
  const lab = await Lab.prepare((await parse(options)).options, signal);
  const script = `${project}/tests/bench/lab/${file}`;
  const deno = ["deno", "run", "--cached-only", "--no-check", "--no-lock", "-A", script];
  const kept = new Kept();
  const ended = await lab.run({
    profile: profileNamed(profile)!,
    folder: project,
    command: only === undefined ? deno : [...deno, only],
    shell: false,
    files: { drain: program },
  }, { stdout: kept, stderr: Deno.stderr });
  if (ended.status !== 0) {
    throw new Error(ended.problem ?? `The script in the guest ended with ${ended.status}`);
  }
  return JSON.parse(await kept.text());
}

if (import.meta.main) {
  const only = Deno.args[0];
  if (only === "tables") {
    console.log(JSON.stringify(await measureTables(), null, 1));
    Deno.exit();
  }
  if (only !== undefined && only !== "drains" && only !== "stalls") throw new RangeError(only);
  console.log(JSON.stringify(await measureInLab(only), null, 1));
}
