/** One lab: a prepared kernel and the settings of a command line, ready to boot orders. */
import { type Boot, boot, type Outlets } from "./boot.ts";
import { Cache } from "./cache.ts";
import type { LabOptions } from "./cli.ts";
import { Job, type Order, passedOn } from "./job.ts";
import { inspectKernel, type Kernel } from "./kernel_image.ts";
import {
  type KernelChoice,
  kernelNamed,
  kernels,
  type OwnSource,
  ownSourceNamed,
  ownSources,
} from "./kernels.ts";
import { moduleDepends, readModule } from "./modules.ts";
import { optionalModules, vfioModules } from "./needs.ts";
import { note } from "./output.ts";
import { ownKernel } from "./own_kernel.ts";
import { archiveInitrd, archiveKernel, makeInitrd } from "./prepare.ts";
import { buildVendorModule } from "./vendor_module.ts";
import { LabProblem } from "./problem.ts";
import type { Profile } from "./profiles.ts";
import { findQemu } from "./qemu.ts";
import { denoCache, stageRuntime } from "./runtime.ts";

/** The project's folder: two above this file. */
export const project: string = Deno.realPathSync(new URL("../../", import.meta.url));

/** What a boot does; the lab adds the rest. */
export type Wish = Pick<Order, "folder" | "command" | "shell" | "files"> & { profile: Profile };

/** What a lab is made of. */
interface LabParts {
  readonly kernel: Kernel;
  readonly initrd: string | Uint8Array<ArrayBuffer>;
  readonly runtime: string;
  readonly denoCache: string | undefined;
  /** Modules of the kernel that the user's own modules need. */
  readonly further: readonly string[];
  readonly options: LabOptions;
  readonly signal: AbortSignal;
  readonly cache: Cache;
  /** The archive's kernel that was chosen; undefined for one of the user's own. */
  readonly choice: KernelChoice | undefined;
}

/** Kernel, initrd and runtime, ready. */
export class Lab {
  readonly kernel: Kernel;
  readonly #parts: LabParts;
  #vendor: Promise<string> | undefined;

  private constructor(parts: LabParts) {
    this.kernel = parts.kernel;
    this.#parts = parts;
  }

  /** Prepares what is missing. */
  static async prepare(options: LabOptions, signal: AbortSignal): Promise<Lab> {
    if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") {
      throw new LabProblem("the lab runs on Linux on x86-64");
    }
    findQemu();
    const cache = new Cache((name) => Deno.env.get(name));
    using _lock = await waitPrepare(cache, signal);
    const choice = choiceOf(options);
    const own = ownOf(options);
    const kernel = own !== undefined
      ? await ownKernel(cache, own, signal)
      : choice !== undefined
      ? await archiveKernel(cache, choice, signal)
      : await givenKernel(options);
    const further: string[] = [];
    for (const { file } of options.own) further.push(...await ownDepends(file));
    // A user's kernel changes under the same name, and own modules may need more of it: packed anew.
    const changes = choice === undefined && own === undefined;
    const initrd = changes || further.length > 0
      ? await makeInitrd(kernel, further, signal)
      : await archiveInitrd(cache, kernel, signal);
    const runtime = await stageRuntime(cache, signal);
    const deno = await denoCache(signal);
    const parts = { kernel, initrd, runtime, denoCache: deno, further, options };
    return new Lab({ ...parts, signal, cache, choice });
  }

  /** The name of the archive's kernel that was chosen; undefined for one of the user's own. */
  get name(): string | undefined {
    return this.#parts.choice?.name;
  }

  /** Whether it boots a kernel that the lab builds itself. */
  get isOwn(): boolean {
    return this.own !== undefined;
  }

  /** What the kernel was built from, if the lab built it. */
  get own(): OwnSource | undefined {
    return ownOf(this.#parts.options);
  }

  /** Builds the vendor driver for the kernel, if that was not done before; gives its file. */
  vendorModule(): Promise<string> {
    const { cache, kernel, choice, options, signal } = this.#parts;
    const tree = options.kernelBuild;
    this.#vendor ??= waitPrepare(cache, signal).then(async (lock) => {
      using _lock = lock;
      return await buildVendorModule({ cache, kernel, choice, tree, signal });
    });
    return this.#vendor;
  }

  /** Boots once and runs the command. */
  async run(wish: Wish, outlets: Outlets, report?: (job: Job) => Promise<void>): Promise<Boot> {
    const { options, further, runtime, denoCache, signal, initrd: bytes } = this.#parts;
    const vendor = wish.profile.vendor === undefined
      ? []
      : [{ file: await this.vendorModule(), parameters: wish.profile.vendor.parameters ?? "" }];
    const order: Order = {
      ...wish,
      project,
      environment: passedOn(wish.shell, (name) => Deno.env.get(name)),
      asUser: options.asUser,
      load: [...vfioModules, ...optionalModules, ...wish.profile.modules, ...further],
      own: [...vendor, ...options.own],
    };
    await using job = await Job.create(order);
    const initrd = typeof bytes === "string" ? bytes : `${job.console}.initrd`;
    if (typeof bytes !== "string") await Deno.writeFile(initrd, bytes);
    const ended = await boot(
      {
        kernel: this.kernel.image,
        initrd,
        profile: wish.profile,
        accel: options.accel,
        memory: options.memory,
        cpus: 2,
        append: options.append,
        verbose: options.verbose,
        shares: [
          { tag: "job", folder: job.folder, writable: true },
          { tag: "runtime", folder: runtime, writable: false },
          { tag: "project", folder: project, writable: false },
          { tag: "cache", folder: denoCache ?? job.empty, writable: false },
        ],
        console: wish.shell ? undefined : job.console,
      },
      job,
      outlets,
      wish.shell ? undefined : options.timeout,
      signal,
    );
    await report?.(job);
    for (const line of ended.warnings) note(`the kernel said: ${line}`);
    return ended;
  }
}

/** The archive's kernel that the options name; undefined for the lab's own, and for a user's. */
function choiceOf({ kernel, ownKernel }: LabOptions): KernelChoice | undefined {
  if (ownKernel) return undefined;
  return kernel === undefined ? kernels[0] : kernelNamed(kernel);
}

/** What the lab builds its own kernel from; undefined for another kernel. */
function ownOf({ kernel, ownKernel }: LabOptions): OwnSource | undefined {
  if (!ownKernel) return undefined;
  return kernel === undefined ? ownSources[0] : ownSourceNamed(kernel);
}

async function givenKernel({ kernel, modules }: LabOptions): Promise<Kernel> {
  const image = await Deno.realPath(kernel ?? "").catch(() => {
    throw new LabProblem(`there is no kernel ${kernel}`);
  });
  return await inspectKernel(image, modules);
}

function waitPrepare(cache: Cache, signal: AbortSignal): Promise<Disposable> {
  return cache.lock(() => note("another lab prepares, waiting for it"), signal);
}

async function ownDepends(file: string): Promise<string[]> {
  const bytes = await readModule(file).catch((error: Error) => {
    throw new LabProblem(`cannot read the module ${file}: ${error.message}`);
  });
  return moduleDepends(bytes);
}
