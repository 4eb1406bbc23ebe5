/** `lab test`: the kernel tests, one boot a profile, reported like one test run. */
import { cacheFastCheck } from "../gate/std_cache.ts";
import type { Boot } from "./boot.ts";
import type { CommandLine } from "./cli.ts";
import { type Lab, project } from "./lab.ts";
import { note, say } from "./output.ts";
import { type Profile, profiles } from "./profiles.ts";
import { add, countBoot, none, summary, type Totals } from "./totals.ts";
import { LabProblem } from "./problem.ts";

/** The tests of one boot. */
export interface Batch {
  profile: Profile;
  /** Test files, from the project's folder. */
  files: readonly string[];
  /** Run only tests whose name has this. */
  filter: string | undefined;
}

/**
 * Chooses what to run. A filter that names a profile, or occurs in a file's path, chooses files;
 * any other chooses tests by their names, in every profile.
 */
export function chooseBatches(
  files: ReadonlyMap<string, readonly string[]>,
  filter: string | undefined,
  only: Profile | undefined,
  isOwn = false,
): Batch[] {
  const all = profiles.filter((profile) => only === undefined || profile === only)
    .filter(({ ownOnly }) => isOwn || ownOnly !== true)
    .map((profile) => ({ profile, files: files.get(profile.name) ?? [], filter: undefined }));
  const clean = filter?.replace(/^\.\//, "").replace(/\/$/, "");
  const matches = (batch: Batch): Batch => ({
    ...batch,
    files: clean === batch.profile.name
      ? batch.files
      : batch.files.filter((file) => file.includes(clean ?? "")),
  });
  const byPath = all.map(matches).filter((batch) => batch.files.length > 0);
  if (byPath.length > 0) return byPath;
  return all.filter((batch) => batch.files.length > 0).map((batch) => ({
    ...batch,
    filter: filter,
  }));
}

/** Finds the test files of each profile. */
export async function findTests(): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const { name } of profiles) {
    const files: string[] = [];
    const walk = async (folder: string): Promise<void> => {
      for await (const entry of Deno.readDir(`${project}/${folder}`)) {
        const path = `${folder}/${entry.name}`;
        if (entry.isDirectory) await walk(path);
        else if (entry.name.endsWith("_test.ts")) files.push(path);
      }
    };
    await walk(`tests/kernel/${name}`).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
    found.set(name, files.sort());
  }
  return found;
}

/** Why there is no differential test, and what makes it one. */
export const NO_FAST_CHECK = "fast-check is not in Deno's cache and cannot be fetched: " +
  "the differential tests are skipped; with a network, deno task lab prepare fetches it";

/** Fetches the package that the differential tests draw with; gives how many tests fail for it. */
async function missingPackage(batches: readonly Batch[]): Promise<number> {
  const wanted = batches.some(({ files }) => files.some((file) => file.includes("differential")));
  if (!wanted || await cacheFastCheck()) return 0;
  note(NO_FAST_CHECK);
  return Deno.env.get("CI") === "true" ? 1 : 0;
}

/** Runs the batches and gives the exit status. */
export async function runTests(lab: Lab, line: CommandLine): Promise<number> {
  const { options, words } = line;
  const batches = chooseBatches(await findTests(), words[0], options.profile, lab.isOwn);
  if (batches.length === 0) {
    if (options.profile?.ownOnly && !lab.isOwn) {
      throw new LabProblem(`the profile ${options.profile.name} needs the lab's own kernel: --own`);
    }
    throw new LabProblem(`no tests in tests/kernel/${options.profile?.name ?? "<profile>"}`);
  }
  const config = openConfig(await Deno.readTextFile(`${project}/deno.json`));
  let totals = { ...none, failed: await missingPackage(batches) };
  let status = 0;
  const releases: string[] = [];
  for (const batch of batches) {
    say(`\n${batch.profile.name}: ${batch.profile.about}`);
    const problem = await moduleProblem(lab, batch.profile);
    if (problem !== undefined) {
      const must = Deno.env.get("CI") === "true";
      totals = add(totals, { ...none, [must ? "failed" : "skipped"]: 1 });
      if (must) status ||= 1;
      say(`${batch.profile.name}: ${must ? "failed" : "skipped"}: ${problem}`);
      continue;
    }
    let report: string | undefined;
    const ended = await lab.run(
      {
        profile: batch.profile,
        folder: project,
        command: testCommand(batch),
        shell: false,
        files: { "deno.json": config },
      },
      {
        stdout: Deno.stdout,
        stderr: Deno.stderr,
        ...(options.verbose ? { console: Deno.stderr } : {}),
      },
      async (job) => {
        report = await job.read("junit.xml");
      },
    );
    releases.push(ended.release ?? lab.kernel.release);
    const counted = countBoot({ status: ended.status, report, filter: batch.filter });
    totals = add(totals, counted);
    // A guest that died may have stopped in the middle of a line.
    say(`${ended.problem === undefined ? "" : "\n"}${bootLine(batch.profile, ended, counted)}`);
    if (ended.problem !== undefined) tellDeath(ended);
    if (status === 0) status = ended.status ?? 1;
  }
  if (options.totals !== undefined) {
    await Deno.writeTextFile(options.totals, `${JSON.stringify(totals)}\n`);
  }
  say(`\n${summary(totals, releases.length, releases)}`);
  if (totals.passed + totals.failed + totals.skipped === 0) {
    note(`no test has ${words[0]} in its name or path`);
    return 1;
  }
  return status === 0 && totals.failed > 0 ? 1 : status;
}

/** Why a profile's vendor driver cannot be built; nothing where it can, or is not wanted. */
async function moduleProblem(lab: Lab, profile: Profile): Promise<string | undefined> {
  if (profile.vendor === undefined) return undefined;
  try {
    await lab.vendorModule();
    return undefined;
  } catch (error) {
    if (error instanceof LabProblem) return error.message;
    throw error;
  }
}

/**
 * The project's configuration without its choice of tests: on the host the kernel tests are
 * excluded, and Deno would keep to that even where a file is named.
 */
export function openConfig(text: string): string {
  const { test: _, ...rest } = JSON.parse(text) as Record<string, unknown>;
  return JSON.stringify(rest);
}

function testCommand(batch: Batch): string[] {
  const options = ["--cached-only", "--no-check", "--no-lock", "-A", "--junit-path=/job/junit.xml"];
  if (batch.filter !== undefined) options.push(`--filter=${batch.filter}`);
  return ["deno", "test", ...options, ...batch.files];
}

function bootLine(profile: Profile, ended: Boot, totals: Totals): string {
  return `${profile.name}: ${totals.passed} passed, ${totals.failed} failed, ` +
    `${totals.skipped} skipped (${ended.seconds.toFixed(1)} s)`;
}

/** Says why a boot died, with the end of its console. */
export function tellDeath(ended: Boot): void {
  note(ended.problem ?? "the guest ended");
  if (ended.console !== "") note(`the end of its console:\n${ended.console}`);
}
