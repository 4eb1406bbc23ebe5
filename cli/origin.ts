/**
 * Where this command line came from, and so how a script beside it finds the package.
 *
 * @module
 */

import { VERSION } from "./version.ts";

/** How a script finds the package, and how the command line is called as it was. */
export interface Origin {
  /** A line of shell that runs it with more rights. */
  run(flags: readonly string[]): string;
  /** A line of shell that installs it, in place of one that is installed. */
  readonly install: string;
  /** What it imports; "" is the package itself, "/model" one of its entries. */
  specifier(entry: "" | "/model"): string;
  /** What Deno must be told besides the permission. */
  readonly flags: readonly string[];
  /** The same for who reads the script. */
  readonly about: readonly string[];
}

/** What the command line needs to do all that it can: docs/permissions.md says why. */
const RIGHTS = "--allow-ffi --allow-read --allow-write";

const runLine = (program: string, flags: readonly string[]): string =>
  `deno run --cached-only --allow-ffi ${[...flags, program].join(" ")}`;

const installLine = (program: string, config: string): string =>
  `deno install -g -f --cached-only ${config}${RIGHTS} -n pinscope ${program}`;

const quoted = (path: string): string => /\s/.test(path) ? JSON.stringify(path) : path;

const JSR = `jsr:@pinscope/vfio@^${VERSION}`;

/**
 * Tells it by the address of this module: a file of a checkout, a page of a registry, or the one file
 * of `deno task pack`.
 */
export function originOf(url: string = import.meta.url): Origin {
  if (/^https?:/.test(url)) {
    return {
      run: (flags) => runLine(`${JSR}/cli`, flags),
      install: installLine(`${JSR}/cli`, ""),
      specifier: (entry) => `${JSR}${entry}`,
      flags: [],
      about: [
        "The package comes from JSR. In a folder whose deno.json names it, import it as",
        `"@pinscope/vfio"; with a checkout, say --config /path/to/pinscope/deno.json for that.`,
      ],
    };
  }
  const { pathname } = new URL(url);
  const file = decodeURIComponent(pathname);
  if (!pathname.endsWith("/cli/origin.ts")) {
    return {
      run: (flags) => runLine(quoted(file), flags),
      install: installLine(quoted(file), ""),
      specifier: () => pathname,
      flags: ["--cached-only"],
      about: [
        "The packed file is program and package in one. Elsewhere the package is imported as",
        `"@pinscope/vfio", and the model kernel as "@pinscope/vfio/model".`,
      ],
    };
  }
  const config = decodeURIComponent(new URL("../deno.json", url).pathname);
  const entry = quoted(file.replace(/origin\.ts$/, "main.ts"));
  return {
    run: (flags) => runLine(entry, flags),
    install: installLine(entry, `--config ${quoted(config)} `),
    specifier: (entry) => `@pinscope/vfio${entry}`,
    flags: ["--cached-only", `--config=${quoted(config)}`],
    about: [
      `"@pinscope/vfio" is the checkout's, for --config in the first line names its deno.json.`,
      `Without a checkout: import it from "${JSR}", and leave --config out.`,
    ],
  };
}
