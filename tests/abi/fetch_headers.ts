#!/usr/bin/env -S deno run -A
// Fetches the kernel's headers (package linux-libc-dev) of one suite of the machine's own archive
// into the cache, without root and without installing them, for the ABI test to compare with.
//
// usage: deno run -A tests/abi/fetch_headers.ts [SUITE [VERSION...]]
//        bookworm-backports and 6.12.* by default; of versions the first that exists is taken,
//        and the suite's newest if none does.
import { PrivateApt, unpack } from "../lab/apt.ts";
import { Cache } from "../lab/cache.ts";
import { LabProblem, reason } from "../lab/problem.ts";
import { cacheFolder, headersIn, PACKAGE } from "./headers.ts";

const SUITE = "bookworm-backports";
const VERSIONS = ["6.12.*"];
const SECONDS = 300;

/** Package names with versions in the order to try, ending with the newest of the suite. */
export function wishes(versions: readonly string[]): string[] {
  return [...versions.map((version) => `${PACKAGE}=${version}`), PACKAGE];
}

/** The version of a package file; its name writes `:` as `%3a`. */
export function versionOf(file: string): string | undefined {
  const name = decodeURIComponent(file.slice(file.lastIndexOf("/") + 1));
  return /^linux-libc-dev_(?:\d+:)?([^_]+)_\w+\.deb$/.exec(name)?.[1];
}

/** Fetches headers into the cache and gives their folder. */
export async function fetchHeaders(
  env: (name: string) => string | undefined,
  suite: string,
  versions: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const root = cacheFolder(env);
  if (root === undefined) throw new LabProblem("neither XDG_CACHE_HOME nor HOME is set");
  const cache = new Cache((name) => name === "PINSCOPE_LAB_CACHE" ? root : undefined);
  using _lock = await cache.lock(() => console.error("another one is fetching, waiting"), signal);
  const apt = await PrivateApt.open(cache.path("apt"), suite, signal);
  const building = cache.path(`building-${crypto.randomUUID()}`);
  await Deno.mkdir(`${building}/package`, { recursive: true });
  try {
    const file = await downloadFirst(apt, wishes(versions), `${building}/package`);
    const version = versionOf(file);
    if (version === undefined) throw new LabProblem(`${file} has no version in its name`);
    const name = `${PACKAGE}-${version}`;
    if (!await cache.has(name)) {
      await unpack(file, `${building}/root`, signal);
      if (await headersIn(`${building}/root`) === undefined) {
        throw new LabProblem(`${PACKAGE} ${version} has no linux/vfio.h`);
      }
      await Deno.rename(`${building}/root`, cache.path(name));
    }
    return await headersIn(cache.path(name)) ?? cache.path(name);
  } finally {
    await Deno.remove(building, { recursive: true });
  }
}

/** A version that the suite does not have is no failure while there are others to try. */
async function downloadFirst(
  apt: PrivateApt,
  names: readonly string[],
  folder: string,
): Promise<string> {
  const failures: string[] = [];
  for (const name of names) {
    try {
      return await apt.download(name, folder);
    } catch (error) {
      if (!(error instanceof LabProblem)) throw error;
      failures.push(error.message);
    }
  }
  throw new LabProblem(failures.join("; "));
}

if (import.meta.main) {
  const [suite = SUITE, ...versions] = Deno.args;
  const wanted = versions.length > 0 || suite !== SUITE ? versions : VERSIONS;
  const limit = AbortSignal.timeout(SECONDS * 1000);
  try {
    console.log(await fetchHeaders((name) => Deno.env.get(name), suite, wanted, limit));
  } catch (error) {
    const why = limit.aborted ? `that took more than ${SECONDS} seconds` : reason(error);
    console.error(`Cannot fetch the kernel's headers from ${suite}: ${why}`);
    console.error("The ABI test takes any others: set PINSCOPE_UAPI_HEADERS to their folder");
    Deno.exitCode = 1;
  }
}
