/**
 * The scripts that `pinscope new` writes: a head, what each is about, and a tail.
 *
 * @module
 */

import { DEFAULT_MDEV } from "../lib/model/mod.ts";
import { MODEL_DEVICE } from "./option.ts";
import { originOf } from "./origin.ts";
import { DIRTY } from "./template/dirty.ts";
import { DMA } from "./template/dma.ts";
import { PINS } from "./template/pins.ts";
import { SETUP } from "./template/setup.ts";

/** One script to start from. */
export interface Template {
  /** What it does, in a sentence. */
  readonly about: string;
  /** What it needs of the package. */
  readonly imports: string;
  /** The device that the model has for it. */
  readonly device: string;
  /** What it does. */
  readonly body: string;
}

/** The templates by name. */
export const TEMPLATES: Readonly<Record<string, Template>> = {
  setup: {
    about: "Set up a container for a device, and say what it can do.",
    imports: "Container, formatSize, hex, VfioError",
    device: MODEL_DEVICE,
    body: SETUP,
  },
  dirty: {
    about: "Map memory for a device, and list its dirty pages round by round.",
    imports: "Container, hex, VfioError",
    device: DEFAULT_MDEV,
    body: DIRTY,
  },
  pins: {
    about: "List the pages that a driver has pinned, and what each operation cost.",
    imports: "Container, formatSize, hex, VfioError",
    device: DEFAULT_MDEV,
    body: PINS,
  },
  dma: {
    about: "Let a device copy memory by DMA, and see which pages are dirty then.",
    imports: "Container, hex, VfioError",
    device: MODEL_DEVICE,
    body: DMA,
  },
};

/**
 * Writes the text of a script.
 *
 * @param name What the script is called, as "trace.ts".
 * @param url Where the command line came from.
 */
export function scriptText(template: Template, name: string, url?: string): string {
  const { specifier, flags, about } = originOf(url);
  const { imports, device, body } = template;
  return [
    ["#!/usr/bin/env -S deno run", ...flags, "--allow-ffi"].join(" "),
    `// ${template.about}`,
    "//",
    `// usage: ${name} --model             on the built-in model kernel: needs no permission`,
    `//        ${name} --device DEVICE     on this host: 0000:00:10.0, a UUID, or group:12`,
    "//",
    ...about.map((line) => `// ${line}`),
    `import { parseArgs } from "node:util";`,
    `import { ${imports} } from "${specifier("")}";`,
    `import { ModelKernel } from "${specifier("/model")}";`,
    "",
    `const options = { model: { type: "boolean" }, device: { type: "string" } } as const;`,
    "const { model, device, ...more } = parseArgs({ options, strict: false }).values;",
    `if (Object.keys(more).length > 0 || (model !== true && typeof device !== "string")) {`,
    `  console.error("usage: ${name} --model, or --device DEVICE");`,
    `  Deno.exit("help" in more ? 0 : 2);`,
    "}",
    "const kernel = model ? new ModelKernel() : undefined; // undefined: the kernel of this host",
    `const name = typeof device === "string" ? device : "${device}"; // which the model has`,
    body,
    "  if (!(error instanceof VfioError || error instanceof Deno.errors.NotCapable)) throw error;",
    "  console.error(error.message); // what the kernel refused, or Deno, and what to do",
    "  Deno.exitCode = 1;",
    "} // all that was acquired with `using` is released by now, in reverse order",
    "",
  ].join("\n");
}
