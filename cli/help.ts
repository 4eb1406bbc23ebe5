/**
 * Help, from the table of options.
 *
 * @module
 */

import { COMMANDS } from "./commands.ts";
import {
  type CommandName,
  type CommandRow,
  COMMON,
  type OptionRow,
  VERSION_ROW,
} from "./option.ts";
import { columns, wrap } from "./table.ts";
import { type Topic, TOPICS } from "./topics.ts";

/** What exit codes say; `verdict` is what 1 says besides a failure. */
export function exitCodes(verdict?: string): string {
  const one = verdict === undefined ? "" : `, or ${verdict}`;
  return `0 done, 1 refused or failed${one}, 2 wrong use, 130 Ctrl-C, 143 SIGTERM`;
}

const exitLine = (verdict?: string): string =>
  wrap(`exit codes: ${exitCodes(verdict)}`, "  ").join("\n");

function optionRow({ name, short, value, about }: OptionRow): string[] {
  const letter = short === undefined ? "    " : `-${short}, `;
  return [`  ${letter}--${name}${value === undefined ? "" : ` ${value}`}`, about];
}

const paragraph = (title: string, rows: readonly (readonly string[])[]): string =>
  [`${title}:`, ...columns(rows)].join("\n");

/** Help for the whole program. */
export function generalHelp(): string {
  return [
    "Scripts for Linux VFIO: containers, pinned memory, dirty pages.",
    "usage: pinscope COMMAND [OPTIONS] [DEVICE...]",
    paragraph(
      "commands",
      COMMANDS.map(({ name, operands, about }) => [
        `  ${name}${operands === "" ? "" : ` ${operands}`}`,
        about,
      ]),
    ),
    paragraph("topics", TOPICS.map(({ name, about }) => [`  help ${name}`, about])),
    paragraph("options", [...COMMON, VERSION_ROW].map(optionRow)),
    "DEVICE is a PCI address (0000:00:10.0), the UUID of a mediated device, or\n" +
    "an IOMMU group (group:12). Addresses and sizes: 4096, 0x1000, 64K, 1G.",
    paragraph("examples", [
      ["  pinscope demo", "see what it does; needs nothing"],
      ["  pinscope info", "what this host has for VFIO"],
      ["  pinscope help dirty", "more about a command, as dirty --help"],
    ]),
    `${exitLine()}\n`,
  ].join("\n\n");
}

/** The topics that a command's help points to. */
function seeAlso(command: CommandName): string[] {
  const names = TOPICS.filter(({ commands }) => commands.includes(command))
    .map(({ name }) => `pinscope help ${name}`);
  return names.length === 0 ? [] : [wrap(`see also: ${names.join(", ")}`, "  ").join("\n")];
}

/** Help about a topic. */
export function topicHelp({ name, about, text, commands }: Topic): string {
  const see = commands.map((command) => `pinscope ${command} --help`).join(", ");
  return `${name}: ${about}\n\n${text}\n\n${wrap(`see also: ${see}`, "  ").join("\n")}\n`;
}

/** Help for one command. */
export function commandHelp(command: CommandRow): string {
  const { name, operands, needs = "", text, options, examples } = command;
  const words = ["pinscope", name, needs, "[OPTIONS]", operands].filter((word) => word !== "");
  return [
    `usage: ${words.join(" ")}`,
    text,
    paragraph("options", [...options, ...COMMON].map(optionRow)),
    ["examples:", ...examples.map(([line, about]) => `  pinscope ${line}\n      ${about}`)]
      .join("\n"),
    ...seeAlso(name),
    `${exitLine(command.verdict)}\n`,
  ].join("\n\n");
}
