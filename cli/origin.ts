/**
 * Where this command line came from, and so how a script beside it finds the package.
 *
 * @module
 */

import { VERSION } from "./version.ts";

/** How a script finds the package. */
export interface Origin {
  /** What it imports; "" is the package itself, "/model" one of its entries. */
  specifier(entry: "" | "/model"): string;
  /** What Deno must be told besides the permission. */
  readonly flags: readonly string[];
  /** The same for who reads the script. */
  readonly about: readonly string[];
}

const JSR = `jsr:@pinscope/vfio@^${VERSION}`;

/**
 * Tells it by the address of this module: a file of a checkout, a page of a registry, or the one file
 * of `deno task pack`.
 */
export function originOf(url: string = import.meta.url): Origin {
  if (/^https?:/.test(url)) {
    return {
      specifier: (entry) => `${JSR}${entry}`,
      flags: [],
      about: [
        "The package comes from JSR. In a folder whose deno.json names it, import it as",
        `"@pinscope/vfio"; with a checkout, say --config /path/to/pinscope/deno.json for that.`,
      ],
    };
  }
  const { pathname } = new URL(url);
  if (!pathname.endsWith("/cli/origin.ts")) {
    return {
      specifier: () => pathname,
      flags: ["--cached-only"],
      about: [
        "The packed file is program and package in one. Elsewhere the package is imported as",
        `"@pinscope/vfio", and the model kernel as "@pinscope/vfio/model".`,
      ],
    };
  }
  const config = decodeURIComponent(new URL("../deno.json", url).pathname);
  return {
    specifier: (entry) => `@pinscope/vfio${entry}`,
    flags: ["--cached-only", `--config=${/\s/.test(config) ? JSON.stringify(config) : config}`],
    about: [
      `"@pinscope/vfio" is the checkout's, for --config in the first line names its deno.json.`,
      `Without a checkout: import it from "${JSR}", and leave --config out.`,
    ],
  };
}
