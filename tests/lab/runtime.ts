/** Stages what the guest runs: Deno, a few tools, and the libraries these need. Nothing else of the host. */
import { type Cache, digest, fingerprint } from "./cache.ts";
import { mustRun, which } from "./command.ts";

/** Tools beside busybox's: tests run children as another user, without a capability, with a limit. */
const tools = ["setpriv", "prlimit"] as const;

/** Reads from the answer of ldd which files a program loads. */
export function parseLibraries(text: string): string[] {
  const files: string[] = [];
  for (const line of text.split("\n")) {
    const file = line.match(/(?:=>\s*)?(\/\S+)\s+\(0x[0-9a-f]+\)/)?.[1];
    if (file !== undefined) files.push(file);
  }
  return files;
}

/** Stages the runtime folder in the cache and gives its path. */
export async function stageRuntime(cache: Cache, signal: AbortSignal): Promise<string> {
  const programs = new Map<string, string>([["deno", Deno.execPath()]]);
  for (const tool of tools) {
    const file = which(tool);
    if (file !== undefined) programs.set(tool, file);
  }
  const libraries = new Set<string>();
  for (const file of programs.values()) {
    const text = await mustRun("ldd", [file], { what: "list libraries", signal, from: "libc-bin" });
    for (const library of parseLibraries(new TextDecoder().decode(text))) libraries.add(library);
  }
  const prints = await Promise.all([...programs.values(), ...libraries].map(fingerprint));
  const name = `runtime-${await digest(...prints)}`;
  const folder = await cache.make(name, async (building) => {
    await Deno.mkdir(`${building}/bin`);
    await Deno.mkdir(`${building}/lib`);
    for (const [tool, file] of programs) await place(file, `${building}/bin/${tool}`);
    for (const library of libraries) {
      await place(library, `${building}/lib/${library.slice(library.lastIndexOf("/") + 1)}`);
    }
    // Some loaders look into a folder of the architecture first; here it is the same folder.
    await Deno.symlink(".", `${building}/lib/${Deno.build.arch}-linux-gnu`);
  });
  await cache.prune("runtime-", name);
  return folder;
}

/** Links the file, which costs nothing, or copies it where the file systems differ. */
async function place(file: string, to: string): Promise<void> {
  const real = await Deno.realPath(file);
  try {
    await Deno.link(real, to);
  } catch {
    await Deno.copyFile(real, to);
  }
}

/** The folder in which this Deno keeps packages fetched before. */
export async function denoCache(signal: AbortSignal): Promise<string | undefined> {
  const options = { what: "ask Deno for its cache folder", signal };
  const text = await mustRun(Deno.execPath(), ["info", "--json", "--no-config"], options);
  const info: unknown = JSON.parse(new TextDecoder().decode(text));
  const folder = info !== null && typeof info === "object" && "denoDir" in info
    ? info.denoDir
    : undefined;
  if (typeof folder !== "string") return undefined;
  return await Deno.stat(folder).then(() => folder, () => undefined);
}
