/** Brings together all that a boot needs; what can be kept is kept in the cache. */
import { PrivateApt, unpack } from "./apt.ts";
import { type Cache, digest, fingerprint } from "./cache.ts";
import { findBusybox, initScript, packInitrd } from "./initrd.ts";
import { inspectKernel, type Kernel } from "./kernel_image.ts";
import { choosePackage, type KernelChoice } from "./kernels.ts";
import { collectModules, indexModules, type ModuleIndex } from "./modules.ts";
import { baseModules, explainMissing, optionalModules, vfioModules } from "./needs.ts";
import { note } from "./output.ts";
import { LabProblem } from "./problem.ts";
import { profiles } from "./profiles.ts";

const prefix = "kernel-";

/** Finds a kernel of the list that was fetched before. */
export async function cachedKernel(
  cache: Cache,
  choice: KernelChoice,
): Promise<string | undefined> {
  const names = await cache.list(`${prefix}linux-`);
  return choosePackage(choice, names.map((name) => name.slice(prefix.length)));
}

/** Fetches a kernel of the list, if it is not in the cache. */
export async function archiveKernel(
  cache: Cache,
  choice: KernelChoice,
  signal: AbortSignal,
): Promise<Kernel> {
  let name = await cachedKernel(cache, choice);
  if (name === undefined) {
    note(`fetching the package list of ${choice.suite}`);
    const apt = await PrivateApt.open(cache.path("apt"), choice.suite, signal);
    name = choosePackage(choice, await apt.names("linux-"));
    if (name === undefined) {
      throw new LabProblem(
        `${choice.suite} has neither ${choice.packages.join(" nor ")} nor a newer kernel ` +
          `${choice.name}: give one with --kernel PATH --modules DIR`,
      );
    }
    if (!choice.packages.includes(name)) note(`${choice.packages[0]} is gone, taking ${name}`);
    const chosen = name;
    await cache.make(prefix + chosen, async (building) => {
      note(`fetching ${chosen} (about 100 MB)`);
      for (const part of [chosen, ...choice.parts?.(chosen) ?? []]) {
        await Deno.mkdir(`${building}/package`);
        const file = await apt.download(part, `${building}/package`);
        note(`unpacking ${part}`);
        await unpack(file, building, signal);
        await Deno.remove(`${building}/package`, { recursive: true });
      }
    });
  }
  return await inspectArchiveKernel(cache.path(prefix + name));
}

async function inspectArchiveKernel(folder: string): Promise<Kernel> {
  const usr = `${folder}/usr/lib/modules`;
  const merged = await exists(usr);
  const above = merged ? `${folder}/usr` : folder;
  for (const { name } of await entries(`${folder}/boot`)) {
    if (name.startsWith("vmlinuz-")) return await inspectKernel(`${folder}/boot/${name}`, above);
  }
  // Newer packages keep the image beside its modules.
  for (const { name } of await entries(`${above}/lib/modules`)) {
    const image = `${above}/lib/modules/${name}/vmlinuz`;
    if (await exists(image)) return await inspectKernel(image, above);
  }
  throw new LabProblem(`there is no kernel in ${folder}: remove that folder and prepare again`);
}

const exists = (path: string): Promise<boolean> => Deno.stat(path).then(() => true, () => false);

/** What is in a folder; nothing where there is none. */
async function entries(folder: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(folder));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Every module that some profile wants. */
const wanted: readonly string[] = [
  ...baseModules,
  ...vfioModules,
  ...optionalModules,
  ...new Set(profiles.flatMap((profile) => profile.modules)),
];

/** Makes the initrd for a kernel. */
export async function makeInitrd(
  kernel: Kernel,
  further: readonly string[],
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const index = kernel.modules === undefined ? undefined : await indexModules(kernel.modules);
  checkKernel(kernel, index);
  const names = [...wanted, ...further];
  const { modules, orders } = index === undefined
    ? { modules: [], orders: new Map<string, string[]>() }
    : await collectModules(index, names);
  return await packInitrd({ modules, orders }, signal);
}

function checkKernel(kernel: Kernel, index: ModuleIndex | undefined): void {
  const missing = explainMissing(kernel.config, index);
  if (missing.length === 0) return;
  throw new LabProblem(
    `the kernel ${kernel.release} cannot be a lab:\n  ${missing.join("\n  ")}`,
  );
}

/** Makes the initrd of a kernel of the archive once. */
export async function archiveInitrd(
  cache: Cache,
  kernel: Kernel,
  signal: AbortSignal,
): Promise<string> {
  const key = await digest(
    kernel.image,
    await initScript(),
    await fingerprint(await findBusybox()),
    wanted.join(" "),
  );
  const name = `initrd-${key}`;
  const folder = await cache.make(name, async (building) => {
    note("making the initrd");
    await Deno.writeFile(`${building}/initrd`, await makeInitrd(kernel, [], signal));
  });
  await cache.prune("initrd-", name);
  return `${folder}/initrd`;
}
