/** Fetches one package from the machine's own archive, as any user, without installing it. */
import { mustRun, run } from "./command.ts";
import { LabProblem } from "./problem.ts";

/** One index that the machine's apt is configured with. */
export interface IndexTarget {
  uri: string;
  suite: string;
  component: string;
  label: string;
}

const format = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(LABEL)";

/** Reads the answer of `apt-get indextargets`. */
export function parseTargets(text: string): IndexTarget[] {
  const targets: IndexTarget[] = [];
  for (const line of text.split("\n")) {
    const [uri, suite, component, label] = line.split("|");
    if (uri && suite && component && label !== undefined) {
      targets.push({ uri, suite, component, label });
    }
  }
  return targets;
}

/**
 * Chooses the archive to ask: the one that calls itself Debian.
 * A machine whose package lists were never fetched knows no labels; there the first plain suite is taken.
 */
export function chooseArchive(targets: readonly IndexTarget[]): string | undefined {
  const main = targets.filter((target) => target.component === "main");
  const labelled = main.find((target) => target.label === "Debian");
  const plain = main.find((target) =>
    !target.suite.includes("-") && (target.label === "" || target.label.startsWith("$("))
  );
  return (labelled ?? plain)?.uri;
}

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** The archive's packages of one suite, seen through an apt state of the lab's own. */
export class PrivateApt {
  #options: string[];
  #signal: AbortSignal;

  private constructor(options: string[], signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** Sets up the state in a folder and fetches the suite's package list. */
  static async open(folder: string, suite: string, signal: AbortSignal): Promise<PrivateApt> {
    // Where package lists were never fetched, apt knows addresses but no labels, if asked so.
    const uri = await askArchive([], signal) ?? await askArchive(["--no-release-info"], signal);
    if (uri === undefined) {
      throw new LabProblem(
        "this machine's apt knows no Debian archive to take a kernel from: " +
          "give one with --kernel PATH --modules DIR",
      );
    }
    for (const name of ["state/lists/partial", "cache/archives/partial", "etc"]) {
      await Deno.mkdir(`${folder}/${name}`, { recursive: true });
    }
    const signed = await exists(keyring) ? `[signed-by=${keyring}] ` : "";
    const sources = `${folder}/etc/sources.list`;
    await Deno.writeTextFile(sources, `deb ${signed}${uri} ${suite} main\n`);
    const options = [
      `Dir::State=${folder}/state`,
      `Dir::Cache=${folder}/cache`,
      `Dir::Etc::SourceList=${sources}`,
      "Dir::Etc::SourceParts=/dev/null",
      "Dir::Etc::Preferences=/dev/null",
      "Dir::Etc::PreferencesParts=/dev/null",
      "Acquire::Languages=none",
      "Acquire::Retries=2",
      "Acquire::http::Timeout=30",
      "Acquire::https::Timeout=30",
      // The folder may be closed to apt's own user; nothing is installed from it.
      "APT::Sandbox::User=root",
      "APT::Architecture=amd64",
    ].flatMap((option) => ["-o", option]);
    const apt = new PrivateApt(options, signal);
    await mustRun("apt-get", [...options, "update", "--error-on=any"], {
      what: `fetch the package list of ${suite}`,
      signal,
      seconds: 180,
    });
    return apt;
  }

  /** Names of the packages that begin so. */
  async names(prefix: string): Promise<string[]> {
    const text = await mustRun("apt-cache", [...this.#options, "pkgnames", prefix], {
      what: "list the packages",
      signal: this.#signal,
    });
    return new TextDecoder().decode(text).split("\n").filter((name) => name !== "");
  }

  /** Downloads a package into a folder and gives the file. */
  async download(name: string, folder: string): Promise<string> {
    await mustRun("apt-get", [...this.#options, "download", name], {
      what: `download ${name}`,
      signal: this.#signal,
      cwd: folder,
      seconds: 1200,
    });
    for await (const entry of Deno.readDir(folder)) {
      if (entry.name.endsWith(".deb")) return `${folder}/${entry.name}`;
    }
    throw new LabProblem(`apt-get downloaded ${name}, but left no package file`);
  }
}

async function askArchive(
  options: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const text = await mustRun(
    "apt-get",
    ["indextargets", ...options, "--format", format, "Created-By: Packages"],
    { what: "read the machine's apt configuration", signal },
  );
  return chooseArchive(parseTargets(new TextDecoder().decode(text)));
}

/** Unpacks a package file into a folder. */
export async function unpack(file: string, folder: string, signal: AbortSignal): Promise<void> {
  const options = { signal, seconds: 300, from: "dpkg" };
  const answer = await run("dpkg-deb", ["-x", file, folder], options);
  if (answer.code !== 0) throw new LabProblem(`cannot unpack ${file}: ${answer.stderr.trim()}`);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
