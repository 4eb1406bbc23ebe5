/** Builds the vendor driver (vendor/) for a kernel: from the archive's headers, or a build folder. */
import { PrivateApt, unpack } from "./apt.ts";
import { type Cache, digest, fingerprint } from "./cache.ts";
import { mustRun, run, which } from "./command.ts";
import type { Kernel } from "./kernel_image.ts";
import type { KernelChoice } from "./kernels.ts";
import { moduleInfo, readModule } from "./modules.ts";
import { note } from "./output.ts";
import { LabProblem } from "./problem.ts";

/** What the driver is built for. */
export interface VendorBuild {
  cache: Cache;
  kernel: Kernel;
  /** The archive's kernel that it is; undefined for one of the user's own. */
  choice: KernelChoice | undefined;
  /** The build folder that the user named. */
  tree: string | undefined;
  signal: AbortSignal;
}

const sources = new URL("./vendor/", import.meta.url);
const file = "pinscope_vendor.ko";

/** Builds the driver, if these sources were not built for this kernel before; gives its file. */
export async function buildVendorModule(build: VendorBuild): Promise<string> {
  const { cache, kernel, choice, signal } = build;
  if (choice?.noVendorDriver !== undefined) {
    throw new LabProblem(
      `the vendor driver cannot be built for ${kernel.release}: ${choice.noVendorDriver}`,
    );
  }
  const texts = await readSources();
  // A folder that was named counts for the archive's kernels as well.
  const own = choice === undefined || build.tree !== undefined;
  const tree = own ? await ownTree(build) : undefined;
  const prints = tree === undefined ? [] : await treePrints(tree);
  const name = `vendor-${await digest(kernel.release, ...prints, ...[...texts].flat())}`;
  const folder = await cache.make(name, async (building) => {
    const headers = tree ??
      await archiveHeaders(cache, kernel.release, choice?.suite ?? "", signal);
    await checkTools(headers);
    note(`building the vendor driver for ${kernel.release}`);
    for (const [source, text] of texts) await Deno.writeTextFile(`${building}/${source}`, text);
    await make(headers, building, kernel.release, signal);
  });
  await cache.prune("vendor-", name);
  return `${folder}/${file}`;
}

async function readSources(): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for await (const { name } of Deno.readDir(sources)) {
    if (!/^(Makefile|.*\.[ch])$/.test(name)) continue;
    texts.set(name, await Deno.readTextFile(new URL(name, sources)));
  }
  return new Map([...texts].sort());
}

/** The packages that a kernel's headers lie in, by its release (6.12.95+deb12-amd64). */
export function headerPackages(release: string, available: Iterable<string>): string[] {
  const version = release.replace(/-amd64$/, "");
  const names = new Set(available);
  // Before 6.12 the tools' package has the series in its name, not the version.
  const series = version.match(/^\d+\.\d+/)?.[0] ?? version;
  const tools = [`linux-kbuild-${version}`, `linux-kbuild-${series}`];
  const wanted = [
    [`linux-headers-${release}`],
    [`linux-headers-${version}-common`],
    tools,
  ];
  return wanted.map((either) => {
    const found = either.find((name) => names.has(name));
    if (found !== undefined) return found;
    throw new LabProblem(
      `the archive has no ${either[0]} any more, so that the vendor driver cannot be built for ` +
        `this kernel: remove it from the lab's cache, and the newest of the series is taken`,
    );
  });
}

/** Fetches a kernel's headers and unpacks them; gives the folder to build in. */
async function archiveHeaders(
  cache: Cache,
  release: string,
  suite: string,
  signal: AbortSignal,
): Promise<string> {
  const folder = await cache.make(`headers-${release}`, async (building) => {
    note(`fetching the headers of ${release} (about 16 MB)`);
    const apt = await PrivateApt.open(cache.path("apt"), suite, signal);
    const available = [...await apt.names("linux-headers-"), ...await apt.names("linux-kbuild-")];
    for (const name of headerPackages(release, available)) {
      const packages = `${building}/package-${name}`;
      await Deno.mkdir(packages);
      await unpack(await apt.download(name, packages), building, signal);
      await Deno.remove(packages, { recursive: true });
    }
    // They would include /usr/src: here they stand side by side in another folder.
    const makefile = `${building}/usr/src/linux-headers-${release}/Makefile`;
    const text = await Deno.readTextFile(makefile);
    await Deno.writeTextFile(makefile, text.replace("include /usr/src/", "include ../"));
  });
  return `${folder}/usr/src/linux-headers-${release}`;
}

/** Finds the build folder of a kernel that is the user's own. */
async function ownTree({ kernel, tree }: VendorBuild): Promise<string> {
  const places = tree !== undefined ? [tree] : [
    kernel.image.replace(/\/arch\/[^/]+\/boot\/bzImage$/, ""),
    `${kernel.modules}/build`,
  ];
  for (const place of places) {
    const generated = `${place}/include/generated/autoconf.h`;
    const built = await Deno.stat(generated).then(() => true, () => false);
    if (built) return await Deno.realPath(place);
  }
  throw new LabProblem(
    tree === undefined
      ? "the vendor driver must be built for this kernel: give its build folder, --kernel-build DIR"
      : `${tree} is no folder in which a kernel was built (make modules_prepare is enough)`,
  );
}

/** What changes when a kernel was configured or built anew. */
async function treePrints(tree: string): Promise<string[]> {
  const files = ["include/generated/autoconf.h", "include/generated/utsrelease.h"];
  const symbols = await fingerprint(`${tree}/Module.symvers`).catch(() => "none");
  return [symbols, ...await Promise.all(files.map((name) => fingerprint(`${tree}/${name}`)))];
}

/** Debian's headers name the compiler that their kernel was built with. */
async function checkTools(headers: string): Promise<void> {
  const variables = await Deno.readTextFile(`${headers}/.kernelvariables`).catch(() => "");
  const version = variables.match(/\bgcc-\d+\b/)?.[0];
  const compiler = version === undefined ? "gcc" : `x86_64-linux-gnu-${version}`;
  const missing = [
    ...(which(compiler) === undefined ? [version ?? "gcc"] : []),
    ...(which("make") === undefined ? ["make"] : []),
  ];
  if (missing.length === 0) return;
  throw new LabProblem(
    `the vendor driver cannot be built without ${missing.join(" and ")}: ` +
      `apt-get install --no-install-recommends ${missing.join(" ")}`,
  );
}

async function make(
  headers: string,
  building: string,
  release: string,
  signal: AbortSignal,
): Promise<void> {
  // No type information: it needs pahole, and nothing here reads it.
  const args = ["-s", "-C", headers, `M=${building}`, "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules"];
  const options = { signal, seconds: 300, from: "make" };
  const answer = await run("make", args, options);
  if (answer.code !== 0) {
    throw new LabProblem(`the vendor driver cannot be built:\n${answer.stderr.trim()}`);
  }
  const bytes = await readModule(`${building}/${file}`);
  const built = moduleInfo(bytes, "vermagic")?.split(" ")[0];
  if (built !== release) {
    throw new LabProblem(`${headers} builds for the kernel ${built}, but ${release} is to boot`);
  }
  await mustRun("strip", ["--strip-debug", `${building}/${file}`], {
    what: "make the module smaller",
    from: "binutils",
    signal,
  });
}
