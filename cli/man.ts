/**
 * `pinscope man`: the manual page, from the tables of commands and texts.
 *
 * @module
 */

import { COMMANDS } from "./commands.ts";
import { MANUAL } from "./manual.ts";
import { exitCodes } from "./help.ts";
import { type CommandRow, COMMON, type OptionRow, VERSION_ROW } from "./option.ts";
import type { Context } from "./context.ts";
import { OVERHEAD, OVERHEAD_OF_ALL } from "./manual_overhead.ts";
import { type Topic, TOPICS } from "./topics.ts";
import { VERSION } from "./version.ts";

/** Text for troff: a dash is a minus, and a line may not begin with a dot or a quote. */
const roff = (text: string): string =>
  text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll(/^([.'])/gm, "\\&$1");

const option = ({ name, short, value, about }: OptionRow): string => {
  const letter = short === undefined ? "" : `\\fB\\-${short}\\fR, `;
  const argument = value === undefined ? "" : ` \\fI${roff(value)}\\fR`;
  return `.TP\n${letter}\\fB\\-\\-${roff(name)}\\fR${argument}\n${roff(about)}`;
};

const item = ([name, text]: readonly [string, string]): string =>
  `.TP\n\\fB${roff(name)}\\fR\n${roff(text)}`;

const paragraph = (text: string): string[] => [".PP", roff(text)];

/** What a line of help is: a term and its text, an example, the rest of what stands above, or prose. */
function lineOf(line: string): string[] {
  const [, term, text = ""] = /^ *((?:\S+ )*\S+) {2,}(\S.*)$/.exec(line) ?? [];
  if (term !== undefined) return [`.TP 15`, `\\fB${roff(term)}\\fR`, roff(text)];
  if (line.startsWith("- ")) return [".TP 2", "\\-", roff(line.slice(2))];
  if (/^ {2}(pinscope|deno) /.test(line)) return [".TP 15", `\\fB${roff(line.trim())}\\fR`];
  return [roff(line.trim())];
}

/** Text for a terminal, which the page breaks in its own way. */
function filled(text: string): string[] {
  return text.split("\n\n").flatMap((part) => {
    let isItem = false;
    const lines = part.split("\n").flatMap((line) => {
      const made = lineOf(line);
      const ends = isItem && made.length === 1 && !line.startsWith(" ");
      isItem = made.length > 1 || (isItem && !ends);
      return ends ? [".PP", ...made] : made;
    });
    return [".PP", ...lines];
  });
}

/** A topic as help shows it. */
const topic = ({ name, about, text }: Topic): string[] => [
  `.SS ${roff(name)}`,
  `${roff(about)}.`,
  ...filled(text),
];

/** Sections of what each command has to say there, under its name. */
function byCommand(title: string, part: (command: CommandRow) => readonly string[]): string[] {
  const sections = COMMANDS.flatMap((command) => {
    const lines = part(command);
    return lines.length === 0 ? [] : [`.SS ${command.name}`, ...lines];
  });
  return [`.SH ${title}`, ...sections];
}

/** The whole page as troff with the man macros. */
export function manualPage(): string {
  return [
    `.TH PINSCOPE 1 "" "pinscope ${VERSION}" "User Commands"`,
    ".SH NAME",
    roff("pinscope - containers, pinned memory and dirty pages of Linux VFIO"),
    ".SH SYNOPSIS",
    "\\fBpinscope\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR] [\\fIDEVICE\\fR...]",
    ".SH DESCRIPTION",
    roff(
      "DEVICE is a PCI address (0000:00:10.0), the UUID of a mediated device, or an IOMMU group\n" +
        "(group:12). Addresses and sizes are written as 4096, 0x1000, 64K or 1G.",
    ),
    ".SH COMMANDS",
    ...COMMANDS.flatMap(({ name, operands, needs = "", text }) => [
      `.SS "${roff([name, needs, operands].filter((word) => word !== "").join(" "))}"`,
      ...filled(text),
    ]),
    ".SH OPTIONS",
    ...[...COMMON, VERSION_ROW].map(option),
    ...byCommand("OPTIONS OF COMMANDS", ({ options }) => options.map(option)),
    ...byCommand("FIELDS", ({ name }) => (MANUAL[name]?.fields ?? []).map(item)),
    ".SH OVERHEAD",
    ...OVERHEAD_OF_ALL.flatMap(paragraph),
    ...byCommand("OVERHEAD OF COMMANDS", ({ name }) => (OVERHEAD[name] ?? []).flatMap(paragraph)),
    ...byCommand(
      "CAVEATS",
      ({ name }) => (MANUAL[name]?.caveats ?? []).flatMap(paragraph),
    ),
    ".SH TOPICS",
    "Each is also printed by \\fBpinscope help\\fR \\fITOPIC\\fR.",
    ...TOPICS.flatMap(topic),
    ".SH EXIT STATUS",
    roff(exitCodes()),
    ...COMMANDS.flatMap(({ name, verdict }) =>
      verdict === undefined ? [] : [".PP", roff(`${name}: 1 also where ${verdict}`)]
    ),
    ...byCommand(
      "EXAMPLES",
      ({ examples }) =>
        examples.map(([line, about]) => `.TP\n\\fBpinscope ${roff(line)}\\fR\n${roff(about)}`),
    ),
    "",
  ].join("\n");
}

/** Prints the page. */
export function man({ out }: Context): number {
  out.text(manualPage());
  return 0;
}
