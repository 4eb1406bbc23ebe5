/** Which of the archive's kernels the lab takes: one ordered list a name, the first that exists. */

/** A kernel that can be asked for by name. */
export interface KernelChoice {
  /** What `--kernel` takes. */
  name: string;
  /** The archive's suite that holds it. */
  suite: string;
  /** Packages tried first, in this order: the ones the tests were written against. */
  packages: readonly string[];
  /** When all of them are gone: the newest package of this form. */
  newest: RegExp;
  about: string;
  /** Further packages that belong to the chosen one, by its name. */
  parts?: (chosen: string) => readonly string[];
  /** Why the vendor driver cannot be built for it where the lab runs; nothing where it can. */
  noVendorDriver?: string;
}

/** The kernels the lab knows; the first is the default. */
export const kernels: readonly KernelChoice[] = [
  {
    name: "6.12",
    suite: "bookworm-backports",
    packages: ["linux-image-6.12.95+deb12-amd64"],
    newest: /^linux-image-6\.12\.[0-9.]+\+deb12(\.\d+)?-amd64(-unsigned)?$/,
    about: "long-term kernel of Debian 12's backports",
  },
  {
    name: "6.1",
    suite: "bookworm",
    packages: ["linux-image-6.1.0-50-amd64"],
    newest: /^linux-image-6\.1\.0-\d+-amd64(-unsigned)?$/,
    about: "Debian 12's own kernel",
  },
  {
    name: "7",
    suite: "sid",
    packages: ["linux-binary-7.2.13+deb14-amd64"],
    newest: /^linux-binary-7\.[0-9.]+\+deb14(\.\d+)?-amd64$/,
    about: "the kernel of Debian's sid",
    // The image lies with the modules.
    parts: (chosen) => [chosen.replace("linux-binary-", "linux-modules-")],
    noVendorDriver: "the tools that build modules for it need a newer C library than Debian 12 has",
  },
];

/** A source package that the lab builds an own kernel from. */
export interface OwnSource {
  /** What `--kernel` takes beside `--own`. */
  name: string;
  suite: string;
  /** The package tried first. */
  package: string;
  /** When it is gone: the newest package of this form. */
  newest: RegExp;
  about: string;
  /** A file in own/ with further options, that other sources do not know. */
  further?: string;
  /** How the recording of its answers is called. */
  recording: string;
}

/** What own kernels are built from; the first, of the default kernel's release, is the default. */
export const ownSources: readonly [OwnSource, ...OwnSource[]] = [
  {
    name: "6.12",
    suite: "bookworm-backports",
    package: "linux-source-6.12",
    newest: /^linux-source-6\.12$/,
    about: "of the default kernel's source",
    recording: "own",
  },
  {
    name: "7",
    suite: "sid",
    package: "linux-source-7.2",
    newest: /^linux-source-7\.\d+$/,
    about: "of the source of Debian's sid",
    further: "config-7",
    recording: "own-7",
  },
];

/** Finds the source of an own kernel by its name. */
export function ownSourceNamed(name: string): OwnSource | undefined {
  return ownSources.find((source) => source.name === name);
}

/** Finds a kernel of the list by its name. */
export function kernelNamed(name: string): KernelChoice | undefined {
  return kernels.find((kernel) => kernel.name === name);
}

/** Orders package names by the numbers in them: 6.12.9 before 6.12.10, signed after unsigned. */
export function compareVersions(left: string, right: string): number {
  const a = left.match(/\d+/g) ?? [];
  const b = right.match(/\d+/g) ?? [];
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = Number(a[i] ?? -1) - Number(b[i] ?? -1);
    if (difference !== 0) return difference;
  }
  // The same version twice: the signed package is the shorter name, and wins.
  return right.length - left.length;
}

/** Chooses one of the packages at hand, or nothing. */
export function choosePackage(
  choice: KernelChoice,
  available: Iterable<string>,
): string | undefined {
  const names = new Set(available);
  const wanted = choice.packages.find((name) => names.has(name));
  if (wanted !== undefined) return wanted;
  return [...names].filter((name) => choice.newest.test(name)).sort(compareVersions).at(-1);
}
