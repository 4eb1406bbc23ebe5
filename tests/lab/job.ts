/** The folder through which host and guest talk: the command goes in, output and status come out. */
import type { Profile } from "./profiles.ts";

/** A module given on the command line. */
export interface OwnModule {
  file: string;
  parameters: string;
}

/** What the guest is to do. */
export interface Order {
  profile: Profile;
  /** The project's folder, at the same path in the guest, so that messages name real files. */
  project: string;
  /** The folder in which the command runs. */
  folder: string;
  command: readonly string[];
  /** Run the command as an ordinary user that owns the VFIO groups? */
  asUser: boolean;
  shell: boolean;
  /** Modules of the kernel to load, in order. */
  load: readonly string[];
  own: readonly OwnModule[];
  /** Environment variables of the guest. */
  environment?: Readonly<Record<string, string>>;
  /** Further files for the job's folder. */
  files?: Readonly<Record<string, string | Uint8Array>>;
}

/** Quotes a word for the shell. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The user of the guest that is not root. */
export const labUser = 1000;

/** The script that the guest runs. */
export function commandScript(order: Order): string {
  const words = order.asUser
    ? ["/usr/bin/setpriv", `--reuid=${labUser}`, `--regid=${labUser}`, "--clear-groups"]
    : [];
  return `exec ${[...words, ...order.command].map(quote).join(" ")}\n`;
}

/** The settings that the guest's init reads. */
export function settings(order: Order, size: { rows: number; columns: number }): string {
  const lines = {
    LAB_PROJECT: order.project,
    LAB_FOLDER: order.folder,
    LAB_PROFILE: order.profile.name,
    LAB_BIND: [
      ...order.profile.bind,
      ...(order.profile.vendor?.bind ?? []).map((device) => `${device}@pinscope-vfio-pci`),
    ].join(" "),
    LAB_MDEVS: (order.profile.vendor?.mdevs ?? []).map(({ uuid, type }) => `${uuid}@${type}`)
      .join(" "),
    LAB_UID: String(order.asUser ? labUser : 0),
    LAB_SHELL: order.shell ? "1" : "",
    LAB_ROWS: String(size.rows),
    LAB_COLUMNS: String(size.columns),
  };
  const exported = Object.entries(order.environment ?? {})
    .map(([name, value]) => `export ${name}=${quote(value)}\n`);
  return Object.entries(lines).map(([name, value]) => `${name}=${quote(value)}\n`).join("") +
    exported.join("");
}

/**
 * What the guest is told of the host's environment: what tests read (`tests/differential/settings.ts`),
 * and for a shell which terminal it has.
 */
export function passedOn(
  isShell: boolean,
  env: (name: string) => string | undefined,
): Record<string, string> {
  const names = ["PINSCOPE_SEED", "PINSCOPE_STEPS", ...isShell ? ["TERM", "NO_COLOR"] : []];
  const found = names.map((name): [string, string | undefined] => [name, env(name)]);
  return Object.fromEntries(found.filter((one): one is [string, string] => one[1] !== undefined));
}

/** The list of modules to load, with the profile's parameters for type1. */
export function loadList(order: Order): string {
  return order.load.map((name) => {
    const parameters = name === "vfio_iommu_type1" ? order.profile.type1 : [];
    return `${[name, ...parameters].join(" ")}\n`;
  }).join("");
}

/** A job's folder, removed at scope end. */
export class Job implements AsyncDisposable {
  /** Holds the console's text beside the shared folder: the guest does not see it. */
  readonly console: string;
  /** What the guest sees as /job. */
  readonly folder: string;
  readonly empty: string;
  #root: string;

  private constructor(root: string) {
    this.#root = root;
    this.console = `${root}/console`;
    this.folder = `${root}/job`;
    this.empty = `${root}/empty`;
  }

  /** Makes the folder and writes the order into it. */
  static async create(order: Order): Promise<Job> {
    const job = new Job(await Deno.makeTempDir({ prefix: "pinscope-lab-" }));
    try {
      await Deno.mkdir(job.empty);
      await Deno.mkdir(`${job.folder}/modules`, { recursive: true });
      const size = order.shell ? Deno.consoleSize() : { rows: 24, columns: 80 };
      const files = {
        "job.sh": settings(order, size),
        "command.sh": commandScript(order),
        "load": loadList(order),
        "own": order.own.map(({ file, parameters }) => `${base(file)} ${parameters}\n`).join(""),
        "stdout": "",
        "stderr": "",
        ...order.files,
      };
      for (const [name, text] of Object.entries(files)) await job.write(name, text);
      await Deno.writeTextFile(job.console, "");
      for (const { file } of order.own) {
        await Deno.copyFile(file, `${job.folder}/modules/${base(file)}`);
      }
      return job;
    } catch (error) {
      await job[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Writes a file that the guest reads. */
  async write(name: string, content: string | Uint8Array): Promise<void> {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(`${this.folder}/${name}`, bytes);
  }

  /** Reads a file that the guest wrote, or nothing. */
  async read(name: string): Promise<string | undefined> {
    return await Deno.readTextFile(`${this.folder}/${name}`).catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#root, { recursive: true }).catch(() => {});
  }
}

const base = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
