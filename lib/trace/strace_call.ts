/**
 * One system call in what strace writes.
 *
 * @module
 */

/** A call, taken apart. */
export interface StraceCall {
  readonly name: string;
  /** All that stands between the parentheses. */
  readonly args: string;
  /** "0", "12" or "EINVAL"; absent where it never came. */
  readonly result?: string;
}

const PREFIX = /^\s*(?:\[pid\s+(\d+)\]\s+|(\d+)\s+)?(?:\d[\d:.]*\s+)?(.*)$/s;
const UNFINISHED = / *<unfinished \.\.\.>$/;
const RESUMED = /^<\.\.\. \w+ resumed>/;

/**
 * Reads a line: with the process (`-f`) and the time (`-t`, `-r`) in front, and in two halves where
 * another process came between.
 *
 * @param unfinished First halves by process; this function keeps them.
 * @returns Undefined for a line that is no call, or the first half of one.
 */
export function parseCall(
  line: string,
  unfinished: Map<string, string>,
): StraceCall | undefined {
  const [, bracketed, bare, rest = ""] = PREFIX.exec(line.trimEnd()) ?? [];
  const process = bracketed ?? bare ?? "";
  if (UNFINISHED.test(rest)) {
    unfinished.set(process, rest.replace(UNFINISHED, ""));
    return undefined;
  }
  if (!RESUMED.test(rest)) return whole(rest);
  const start = unfinished.get(process);
  unfinished.delete(process);
  return start === undefined ? undefined : whole(start + rest.replace(RESUMED, ""));
}

function whole(text: string): StraceCall | undefined {
  const match = /^(\w+)\((.*)\)\s+=\s+(\S+)(?:\s+(E[A-Z0-9]+))?.*$/s.exec(text);
  if (match === null) return undefined;
  const [, name = "", args = "", result = "", error] = match;
  if (result === "?") return { name, args };
  // With -y the file stands behind a descriptor: 4<anon_inode:[eventfd]>.
  const value = /^(-?(?:0x[0-9a-f]+|\d+))/i.exec(result)?.[1];
  return { name, args, result: error ?? (value === undefined ? result : `${Number(value)}`) };
}

/** The path that an open was given: the first text in quotes, also as `-xx` writes it. */
export function pathOf(args: string): string | undefined {
  const quoted = /"((?:[^"\\]|\\.)*)"/s.exec(args)?.[1];
  return quoted === undefined ? undefined : new TextDecoder().decode(unescaped(quoted));
}

/** The bytes of an argument that strace printed as a text; undefined for another form. */
export function argumentBytes(argument: string): Uint8Array<ArrayBuffer> | undefined {
  const quoted = /^"((?:[^"\\]|\\.)*)"(\.\.\.)?/s.exec(argument);
  if (quoted === null) return undefined;
  const bytes = unescaped(quoted[1] ?? "");
  if (quoted[2] !== undefined) return bytes; // cut short
  const ended = new Uint8Array(bytes.length + 1); // the NUL is not printed
  ended.set(bytes);
  return ended;
}

const ESCAPES: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, v: 11, f: 12 };

/** Undoes strace's escapes: \x2f, \57, \n, \". */
function unescaped(text: string): Uint8Array<ArrayBuffer> {
  const parts = text.match(/\\x[0-9a-f]{2}|\\[0-7]{1,3}|\\.|[^\\]+/gis) ?? [];
  const encoder = new TextEncoder();
  return Uint8Array.from(parts.flatMap((part): number[] => {
    if (!part.startsWith("\\")) return [...encoder.encode(part)];
    const hex = /^\\x(..)$/i.exec(part)?.[1];
    if (hex !== undefined) return [Number.parseInt(hex, 16)];
    const octal = /^\\([0-7]+)$/.exec(part)?.[1];
    if (octal !== undefined) return [Number.parseInt(octal, 8) & 0xff];
    const letter = part.slice(1);
    return [ESCAPES[letter] ?? letter.charCodeAt(0)];
  }));
}
