/**
 * Completion for fish.
 *
 * @module
 */

import type { Choice, Completed, CompletedOption } from "./completion.ts";

const quoted = (text: string): string =>
  `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

/** How fish takes what stands at a place. */
function argument(choice: Choice): string {
  switch (choice) {
    case "nothing":
      return "";
    case "files":
      return " -F";
    case "devices":
      return " -a '(__pinscope_devices)'";
    default:
      return ` -a ${quoted(choice.join(" "))}`;
  }
}

function optionLine(
  condition: string,
  { name, short, about, value, joined }: CompletedOption,
): string {
  const letter = short === undefined ? "" : ` -s ${short}`;
  const taken = value === undefined
    ? joined === undefined ? "" : argument(joined)
    // Only here may a file stand.
    : `${value.choice === "files" ? " -r" : " -x"}${argument(value.choice)}`;
  return `complete -c pinscope -n ${condition} -l ${name}${letter}${taken} -d ${quoted(about)}`;
}

/** The script. */
export function fishScript({ commands, options }: Completed): string {
  const none = "__fish_use_subcommand";
  const lines = commands.flatMap(({ name, about, options, first, rest }) => {
    const seen = quoted(`__fish_seen_subcommand_from ${name}`);
    // The first operand is the second word that is no option: the command itself is one.
    const isFirst = quoted(`__fish_seen_subcommand_from ${name}; and __pinscope_is_first`);
    const place = first === rest ? seen : isFirst;
    const operand = argument(first);
    return [
      `complete -c pinscope -n ${none} -a ${name} -d ${quoted(about)}`,
      ...options.map((option) => optionLine(seen, option)),
      ...(operand === "" ? [] : [`complete -c pinscope -n ${place}${operand}`]),
    ];
  });
  return [
    "# Completion of pinscope for fish; made by: pinscope completion fish",
    "function __pinscope_is_first",
    "    test (count (string match -v -- '-*' (commandline -opc))) -le 2",
    "end",
    "function __pinscope_devices",
    "    set -l words (commandline -opc)",
    "    set -l model (string match -r -- '^--model(?=$|=)' $words)",
    "    set -l command (string match -v -- '-*' $words)[2]",
    "    pinscope __devices $command $model[1] 2>/dev/null",
    "end",
    "complete -c pinscope -f",
    ...options.map((option) => optionLine(none, option)),
    ...lines,
    "",
  ].join("\n");
}
