/** The lab's own kernel: built once from Debian's source package, for what its own kernels lack. */
import { PrivateApt, unpack } from "./apt.ts";
import { type Cache, digest } from "./cache.ts";
import { follow, mustRun, which } from "./command.ts";
import { inspectKernel, type Kernel } from "./kernel_image.ts";
import { compareVersions, type OwnSource } from "./kernels.ts";
import { parseConfig } from "./needs.ts";
import { note } from "./output.ts";
import { LabProblem } from "./problem.ts";

const prefix = "own-";
const folder = new URL("./own/", import.meta.url);

/** What of the source's folders building a module for the kernel needs afterwards. */
const KEPT = [
  ".config",
  "Makefile",
  "Module.symvers",
  "arch/x86/Makefile",
  "arch/x86/Makefile.um",
  "arch/x86/Makefile_32.cpu",
  "arch/x86/include",
  "include",
  "scripts",
  "tools/objtool/objtool",
];

/** The configuration of a kernel: what all have in common, and what its source alone knows. */
export async function ownConfig({ further }: OwnSource): Promise<string> {
  const names = ["config", ...further === undefined ? [] : [further]];
  const texts = names.map((name) => Deno.readTextFile(new URL(name, folder)));
  return (await Promise.all(texts)).join("\n");
}

/** Finds the kernel of today's configuration, if it was built before; gives its release. */
export async function cachedOwnKernel(
  cache: Cache,
  source: OwnSource,
): Promise<string | undefined> {
  return releaseOf(await cachedName(cache, await ownConfig(source)));
}

/** `own-6.12.95-pinscope-<digest>` holds 6.12.95-pinscope. */
export function releaseOf(name: string | undefined): string | undefined {
  return name?.slice(prefix.length, name.lastIndexOf("-"));
}

async function cachedName(cache: Cache, config: string): Promise<string | undefined> {
  const end = `-${await digest(config)}`;
  return (await cache.list(prefix)).findLast((name) => name.endsWith(end));
}

/** Builds the kernel, if this configuration was not built before. */
export async function ownKernel(
  cache: Cache,
  from: OwnSource,
  signal: AbortSignal,
): Promise<Kernel> {
  const config = await ownConfig(from);
  const name = await cachedName(cache, config) ?? await build(cache, from, config, signal);
  await cache.prune(prefix, name);
  return await inspectKernel(`${cache.path(name)}/vmlinuz`, cache.path(name));
}

async function build(
  cache: Cache,
  from: OwnSource,
  config: string,
  signal: AbortSignal,
): Promise<string> {
  checkTools();
  let name = "";
  // Its name has the release in it, which is known only afterwards.
  const built = await cache.make(`unnamed-${crypto.randomUUID()}`, async (building) => {
    const source = `${building}/source`;
    await fetchSource({ cache, from, building, source, signal });
    await configure(source, config, signal);
    note("building the lab's own kernel: about 6 minutes on two processors, once");
    await compile(source, signal);
    const release = (await Deno.readTextFile(`${source}/include/config/kernel.release`)).trim();
    name = `${prefix}${release}-${await digest(config)}`;
    await keep(source, building, release, signal);
  });
  await Deno.rename(built, cache.path(name));
  return name;
}

/** What compiles a kernel, and the packages that bring it; the rest of a Debian machine is there. */
function checkTools(): void {
  const tools = {
    gcc: "gcc",
    make: "make",
    flex: "flex",
    bison: "bison",
    bc: "bc",
    xz: "xz-utils",
  };
  const packages = Object.entries(tools).filter(([tool]) => which(tool) === undefined)
    .map(([, name]) => name);
  // Its tool objtool reads and writes ELF files; no kernel for x86-64 is built without it.
  if (!isFile("/usr/include/gelf.h")) packages.push("libelf-dev");
  if (packages.length === 0) return;
  throw new LabProblem(
    `the own kernel cannot be built without ${packages.join(", ")}: ` +
      `apt-get install --no-install-recommends ${packages.join(" ")}`,
  );
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Chooses one of the archive's source packages: the one that is meant, or the newest like it. */
export function chooseSource(from: OwnSource, available: readonly string[]): string | undefined {
  if (available.includes(from.package)) return from.package;
  return available.filter((name) => from.newest.test(name)).toSorted(compareVersions).at(-1);
}

async function fetchSource({ cache, from, building, source, signal }: {
  cache: Cache;
  from: OwnSource;
  building: string;
  source: string;
  signal: AbortSignal;
}): Promise<void> {
  const apt = await PrivateApt.open(cache.path("apt"), from.suite, signal);
  const chosen = chooseSource(from, await apt.names("linux-source-"));
  if (chosen === undefined) {
    throw new LabProblem(
      `${from.suite} has no ${from.package} and none like it any more: give a kernel of your own ` +
        "with --kernel PATH --modules DIR",
    );
  }
  if (chosen !== from.package) note(`${from.package} is gone, taking ${chosen}`);
  note(`fetching ${chosen} (about 150 MB)`);
  const folder = `${building}/package`;
  await Deno.mkdir(folder);
  await unpack(await apt.download(chosen, folder), folder, signal);
  note("unpacking the source");
  await Deno.mkdir(source);
  const archive = `${folder}/usr/src/${chosen}.tar.xz`;
  await mustRun("tar", ["-C", source, "--strip-components=1", "-xJf", archive], {
    what: "unpack the kernel's source",
    signal,
    seconds: 600,
  });
  await Deno.remove(folder, { recursive: true });
}

async function configure(source: string, config: string, signal: AbortSignal): Promise<void> {
  const wish = `${source}/pinscope.config`;
  await Deno.writeTextFile(wish, config);
  await mustRun("make", ["-s", "allnoconfig", `KCONFIG_ALLCONFIG=${wish}`], {
    what: "configure the own kernel",
    signal,
    cwd: source,
    seconds: 300,
  });
  const lost = lostOptions(config, await Deno.readTextFile(`${source}/.config`));
  if (lost.length === 0) return;
  throw new LabProblem(
    `this source does not take the lab's configuration (tests/lab/own):\n  ` +
      lost.join("\n  "),
  );
}

/** Options that were asked for and came out otherwise: something that they need is not on. */
export function lostOptions(wanted: string, got: string): string[] {
  const found = parseConfig(got);
  return [...parseConfig(wanted)]
    .filter(([option, value]) => (found.get(option) ?? "n") !== value)
    .map(([option, value]) => `CONFIG_${option}=${value} became ${found.get(option) ?? "n"}`);
}

/** How many lines of make pass between two of progress; a line is about a file. */
const STEP = 250;

async function compile(source: string, signal: AbortSignal): Promise<void> {
  let lines = 0;
  const jobs = `-j${navigator.hardwareConcurrency}`;
  // The machine stays usable meanwhile.
  const answer = await follow("nice", ["-n", "10", "make", jobs, "bzImage", "modules"], {
    signal,
    cwd: source,
    seconds: 3600,
    onLine: () => {
      lines += 1;
      if (lines % STEP === 0) note(`${lines} steps of about 2000`);
    },
  });
  if (answer.code === 0) return;
  const end = answer.stderr.trim().split("\n").slice(-20).join("\n");
  throw new LabProblem(`the own kernel cannot be built:\n${end}`);
}

/** Takes the image, the modules and what further modules are built with; the rest goes. */
async function keep(
  source: string,
  building: string,
  release: string,
  signal: AbortSignal,
): Promise<void> {
  await Deno.rename(`${source}/arch/x86/boot/bzImage`, `${building}/vmlinuz`);
  const modules = `${building}/lib/modules/${release}`;
  await Deno.mkdir(modules, { recursive: true });
  await Deno.rename(`${source}/modules.builtin`, `${modules}/modules.builtin`);
  const order = await Deno.readTextFile(`${source}/modules.order`);
  for (const line of order.split("\n").filter((text) => text !== "")) {
    const module = line.replace(/\.o$/, ".ko");
    // Under its own name: that is what the module is known by.
    await Deno.rename(`${source}/${module}`, `${modules}/${module.split("/").at(-1)}`);
  }
  const tree = `${building}/build`;
  for (const path of KEPT) {
    const to = `${tree}/${path}`;
    await Deno.mkdir(to.slice(0, to.lastIndexOf("/")), { recursive: true });
    await Deno.rename(`${source}/${path}`, to);
  }
  await Deno.symlink("../../../build", `${modules}/build`);
  await mustRun("rm", ["-rf", source], { what: "remove the source", signal, seconds: 300 });
}
