/** One lab: a prepared kernel and the settings of a command line, ready to boot orders. */
import { type Boot, boot, type Outlets } from "./boot.ts";
import { Cache } from "./cache.ts";
import type { LabOptions } from "./cli.ts";
import { Job, type Order } from "./job.ts";
import { inspectKernel, type Kernel } from "./kernel_image.ts";
import { kernelNamed, kernels } from "./kernels.ts";
import { moduleDepends, readModule } from "./modules.ts";
import { optionalModules, vfioModules } from "./needs.ts";
import { note } from "./output.ts";
import { archiveInitrd, archiveKernel, makeInitrd } from "./prepare.ts";
import { LabProblem } from "./problem.ts";
import type { Profile } from "./profiles.ts";
import { findQemu } from "./qemu.ts";
import { denoCache, stageRuntime } from "./runtime.ts";

/** The project's folder: two above this file. */
export const project: string = Deno.realPathSync(new URL("../../", import.meta.url));

/** What a boot does; the lab adds the rest. */
export type Wish = Pick<Order, "folder" | "command" | "shell" | "files"> & { profile: Profile };

/** Kernel, initrd and runtime, ready. */
export class Lab {
  readonly kernel: Kernel;
  #initrd: string | Uint8Array<ArrayBuffer>;
  #runtime: string;
  #denoCache: string | undefined;
  /** Modules of the kernel that the user's own modules need. */
  #further: readonly string[];
  #options: LabOptions;
  #signal: AbortSignal;

  private constructor(
    kernel: Kernel,
    initrd: string | Uint8Array<ArrayBuffer>,
    runtime: string,
    denoDir: string | undefined,
    further: readonly string[],
    options: LabOptions,
    signal: AbortSignal,
  ) {
    this.kernel = kernel;
    this.#initrd = initrd;
    this.#runtime = runtime;
    this.#denoCache = denoDir;
    this.#further = further;
    this.#options = options;
    this.#signal = signal;
  }

  /** Prepares what is missing. */
  static async prepare(options: LabOptions, signal: AbortSignal): Promise<Lab> {
    if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") {
      throw new LabProblem("the lab runs on Linux on x86-64");
    }
    findQemu();
    const cache = new Cache((name) => Deno.env.get(name));
    using _lock = await cache.lock(() => note("another lab prepares, waiting for it"), signal);
    const choice = options.kernel === undefined ? kernels[0] : kernelNamed(options.kernel);
    const kernel = choice === undefined
      ? await inspectKernel(
        await Deno.realPath(options.kernel ?? "").catch(() => {
          throw new LabProblem(`there is no kernel ${options.kernel}`);
        }),
        options.modules,
      )
      : await archiveKernel(cache, choice, signal);
    const further: string[] = [];
    for (const { file } of options.own) further.push(...await ownDepends(file));
    // An own kernel changes under the same name, and own modules may need more of it: packed anew.
    const initrd = choice === undefined || further.length > 0
      ? await makeInitrd(kernel, further, signal)
      : await archiveInitrd(cache, kernel, signal);
    const runtime = await stageRuntime(cache, signal);
    return new Lab(kernel, initrd, runtime, await denoCache(signal), further, options, signal);
  }

  /** Boots once and runs the command. */
  async run(wish: Wish, outlets: Outlets, report?: (job: Job) => Promise<void>): Promise<Boot> {
    const options = this.#options;
    const order: Order = {
      ...wish,
      project,
      asUser: options.asUser,
      load: [...vfioModules, ...optionalModules, ...wish.profile.modules, ...this.#further],
      own: options.own,
    };
    await using job = await Job.create(order);
    const bytes = this.#initrd;
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
          { tag: "runtime", folder: this.#runtime, writable: false },
          { tag: "project", folder: project, writable: false },
          { tag: "cache", folder: this.#denoCache ?? job.empty, writable: false },
        ],
        console: wish.shell ? undefined : job.console,
      },
      job,
      outlets,
      wish.shell ? undefined : options.timeout,
      this.#signal,
    );
    await report?.(job);
    for (const line of ended.warnings) note(`the kernel said: ${line}`);
    return ended;
  }
}

async function ownDepends(file: string): Promise<string[]> {
  const bytes = await readModule(file).catch((error: Error) => {
    throw new LabProblem(`cannot read the module ${file}: ${error.message}`);
  });
  return moduleDepends(bytes);
}
