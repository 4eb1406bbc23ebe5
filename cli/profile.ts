/** Which recorded kernel the model is: --model=NAME, or --profile NAME. */

import { BEHAVIOURS } from "../mod.ts";
import { UsageError } from "./parse.ts";

/** --model=NAME is --model with a profile; behind "--" nothing is an option. */
export function splitProfile(args: readonly string[]): string[] {
  const end = args.indexOf("--");
  return args.flatMap((argument, i) => {
    const [, profile] = /^--model=(.+)$/.exec(argument) ?? [];
    if (profile === undefined || (end >= 0 && i > end)) return [argument];
    return ["--model", `--profile=${profile}`];
  });
}

/** Whether a release is meant by its beginning: 7.2 by 7.2.13, but 6.1 not by 6.12. */
const begins = (release: string, text: string): boolean =>
  release.startsWith(text) && /^\d+\.\d/.test(text) &&
  (release === text || !/\d/.test(text.at(-1) ?? "") || !/\d/.test(release.charAt(text.length)));

/**
 * The profile of the model that is asked for, once or twice the same; undefined for none. A recorded
 * release, or its beginning, means its profile.
 */
export async function profileOf(given: readonly string[]): Promise<string | undefined> {
  const names: string[] = [];
  for (const text of given) names.push(await named(text));
  const [first, ...rest] = names;
  if (rest.some((name) => name !== first)) {
    throw new UsageError(`The model is one kernel at a time; got ${given.join(" and ")}`);
  }
  return first;
}

async function named(text: string): Promise<string> {
  const names = BEHAVIOURS.map(({ name }) => name);
  if (names.includes(text)) return text;
  const { RECORDINGS } = await import("../lib/conform/mod.ts");
  const found = RECORDINGS.filter(({ release }) => begins(release, text)).map(({ name }) => name);
  const [name] = found;
  if (name !== undefined && found.length === 1 && names.includes(name)) return name;
  const releases = RECORDINGS.map(({ release }) => release).join(", ");
  throw new UsageError(
    `There is no profile ${text}: there are ${names.join(", ")}, recorded on ${releases}`,
  );
}
