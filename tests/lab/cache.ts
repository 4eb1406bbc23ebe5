/** The folder that keeps what was prepared, and how things get into it whole or not at all. */
import { LabProblem } from "./problem.ts";

/** The lab's cache folder: everything in it can be made again. */
export class Cache {
  readonly folder: string;

  constructor(env: (name: string) => string | undefined) {
    const own = env("PINSCOPE_LAB_CACHE");
    const base = env("XDG_CACHE_HOME") || (env("HOME") && `${env("HOME")}/.cache`);
    if (!own && !base) {
      throw new LabProblem(
        "neither HOME nor PINSCOPE_LAB_CACHE says where to keep the lab's cache",
      );
    }
    this.folder = own || `${base}/pinscope/lab`;
  }

  /** Path of an entry, whether or not it exists. */
  path(name: string): string {
    return `${this.folder}/${name}`;
  }

  /** Does this entry exist, complete? */
  async has(name: string): Promise<boolean> {
    return await Deno.stat(this.path(name)).then(() => true, () => false);
  }

  /** Names of the entries that begin so, in order. */
  async list(prefix: string): Promise<string[]> {
    const names: string[] = [];
    try {
      for await (const entry of Deno.readDir(this.folder)) {
        if (entry.name.startsWith(prefix)) names.push(entry.name);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return names.sort();
  }

  /**
   * Gives the entry, made first when it does not exist.
   * It is built under another name and renamed: a cut preparation is never taken as complete.
   */
  async make(name: string, build: (folder: string) => Promise<void>): Promise<string> {
    if (await this.has(name)) return this.path(name);
    const building = `${this.folder}/building-${crypto.randomUUID()}`;
    try {
      await Deno.mkdir(building, { recursive: true });
      await build(building);
      await Deno.rename(building, this.path(name));
    } finally {
      await Deno.remove(building, { recursive: true }).catch(() => {});
    }
    return this.path(name);
  }

  /** Lets one lab at a time prepare; others wait. Removes what earlier, killed ones left. */
  async lock(waiting: () => void, signal: AbortSignal): Promise<Disposable> {
    await Deno.mkdir(this.folder, { recursive: true });
    const file = await Deno.open(this.path("lock"), { create: true, write: true });
    try {
      for (let told = false; !(await file.tryLock(true)); told = true) {
        signal.throwIfAborted();
        if (!told) waiting();
        await new Promise((go) => setTimeout(go, 200));
      }
      for (const left of await this.list("building-")) {
        await Deno.remove(this.path(left), { recursive: true });
      }
      return file;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Removes entries of one kind that were not used for a month, except the given one. */
  async prune(prefix: string, keep: string): Promise<void> {
    const limit = Date.now() - 30 * 86_400_000;
    for (const name of await this.list(prefix)) {
      if (name === keep) continue;
      const info = await Deno.stat(this.path(name)).catch(() => undefined);
      if ((info?.mtime?.getTime() ?? Infinity) < limit) {
        await Deno.remove(this.path(name), { recursive: true });
      }
    }
    await Deno.utime(this.path(keep), new Date(), new Date()).catch(() => {});
  }
}

/** Gives a short name for the content of some texts. */
export async function digest(...texts: readonly string[]): Promise<string> {
  const bytes = new TextEncoder().encode(texts.join("\0"));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...hash.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Describes a file so that a changed one is noticed: path, size, time. */
export async function fingerprint(path: string): Promise<string> {
  const info = await Deno.stat(path);
  return `${path} ${info.size} ${info.mtime?.getTime() ?? 0}`;
}
