/** Looks at a kernel image and the folders around it. */
import { LabProblem } from "./problem.ts";
import { parseConfig } from "./needs.ts";

/** A kernel to boot. */
export interface Kernel {
  image: string;
  /** The folder lib/modules/<release>; undefined when everything is built in. */
  modules: string | undefined;
  release: string;
  config: ReadonlyMap<string, string> | undefined;
}

/** Reads the release that an x86 bzImage carries in its header (Documentation/arch/x86/boot.rst). */
export function imageRelease(head: Uint8Array): string | undefined {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length < 0x210 || view.getUint32(0x202, true) !== 0x53726448) return undefined;
  const start = view.getUint16(0x20e, true) + 0x200;
  const text = new TextDecoder("latin1").decode(head.subarray(start, start + 128));
  return text.split(/[ \0]/)[0] || undefined;
}

/** Does a file begin as a bzImage or as an ELF program (vmlinux)? */
function isKernel(head: Uint8Array): boolean {
  const text = new TextDecoder("latin1").decode(head.subarray(0, 0x206));
  return text.startsWith("HdrS", 0x202) || text.startsWith("\x7fELF");
}

/** Looks at an image and its modules, given as lib/modules/<release> or a folder above it. */
export async function inspectKernel(image: string, folder: string | undefined): Promise<Kernel> {
  const head = await readHead(image);
  if (!isKernel(head)) throw new LabProblem(`${image} is no Linux kernel for x86 (bzImage)`);
  const named = imageRelease(head);
  const modules = folder === undefined ? undefined : await modulesFolder(folder, named);
  const release = named ?? modules?.slice(modules.lastIndexOf("/") + 1) ?? "unknown release";
  const places = [
    `${modules}/config`,
    `${modules}/build/.config`,
    `${image.slice(0, image.lastIndexOf("/") + 1)}config-${release}`,
    `${modules}/../../../boot/config-${release}`,
    `${modules}/.config`,
    // arch/x86/boot/bzImage in a build folder
    image.replace(/\/?arch\/[^/]+\/boot\/bzImage$/, "/.config").replace(/^\/\.config$/, ".config"),
  ];
  for (const place of places) {
    if (place === image) continue;
    const text = await Deno.readTextFile(place).catch(() => undefined);
    if (text !== undefined) return { image, modules, release, config: parseConfig(text) };
  }
  return { image, modules, release, config: undefined };
}

async function readHead(image: string): Promise<Uint8Array> {
  try {
    using file = await Deno.open(image);
    const head = new Uint8Array(0x10000);
    let filled = 0;
    for (let n = 0; n !== null && filled < head.length; filled += n ?? 0) {
      n = await file.read(head.subarray(filled)) ?? 0;
      if (n === 0) break;
    }
    return head.subarray(0, filled);
  } catch (error) {
    throw new LabProblem(`cannot read the kernel ${image}: ${(error as Error).message}`);
  }
}

async function modulesFolder(folder: string, release: string | undefined): Promise<string> {
  const absolute = await Deno.realPath(folder).catch(() => {
    throw new LabProblem(`there is no folder ${folder}`);
  });
  const above = `${absolute}/lib/modules`;
  const releases: string[] = [];
  try {
    for await (const entry of Deno.readDir(above)) if (entry.isDirectory) releases.push(entry.name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return absolute; // it is the folder itself
  }
  const [only] = releases;
  if (release !== undefined && releases.includes(release)) return `${above}/${release}`;
  if (release === undefined && only !== undefined && releases.length === 1) {
    return `${above}/${only}`;
  }
  throw new LabProblem(
    `${above} holds ${releases.join(", ") || "no modules"}, ` +
      `but the kernel is ${release ?? "of an unknown release"}`,
  );
}
