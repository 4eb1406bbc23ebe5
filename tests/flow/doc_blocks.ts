/**
 * The fenced blocks of a page of documentation.
 *
 * @module
 */

/** The root of the project. */
export const ROOT: URL = new URL("../../", import.meta.url);

/** A block between fences. */
export interface Block {
  /** The page, from the root of the project, with the line that the block begins in. */
  readonly place: string;
  /** What stands behind the fence: "ts", "sh" and others; "" for what something prints. */
  readonly language: string;
  readonly text: string;
  /** The text of the block right below, if that says what this one prints. */
  readonly output: string | undefined;
}

const FENCED = /^```(\w*)\n(.*?)^```$/gms;

/** The pages whose blocks are checked: the README, and all of docs. */
export function pages(): readonly string[] {
  const names = [...Deno.readDirSync(new URL("docs/", ROOT))].map(({ name }) => name);
  return [
    "README.md",
    ...names.filter((name) => name.endsWith(".md")).sort().map((n) => `docs/${n}`),
  ];
}

/** The text of a page. */
export function textOf(page: string): string {
  return Deno.readTextFileSync(new URL(page, ROOT));
}

/** The blocks of a page, in order. */
export function blocksOf(page: string): Block[] {
  const text = textOf(page);
  const found = [...text.matchAll(FENCED)];
  return found.map((match, i) => {
    const [whole, language = "", body = ""] = match;
    const next = found[i + 1];
    const isNext = next !== undefined && next[1] === "" &&
      text.slice(match.index + whole.length, next.index).trim() === "";
    return {
      place: `${page}:${text.slice(0, match.index).split("\n").length}`,
      language,
      text: body,
      output: isNext && language !== "" ? next[2] ?? "" : undefined,
    };
  });
}

/** The blocks of a page that say what nothing right above them prints. */
export function loose(page: string): Block[] {
  const blocks = blocksOf(page);
  return blocks.filter(({ language }, i) => language === "" && blocks[i - 1]?.output === undefined);
}
