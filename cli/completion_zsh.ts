/**
 * Completion for zsh.
 *
 * @module
 */

import type { Choice, Completed, CompletedCommand, CompletedOption } from "./completion.ts";

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Text within a specification of _arguments. */
const plain = (text: string): string => text.replaceAll(/[\\:[\]]/g, "\\$&");

/** How _arguments completes what stands at a place. */
function action(choice: Choice): string {
  switch (choice) {
    case "nothing":
      return " ";
    case "files":
      return "_files";
    case "devices":
      return "_pinscope_devices";
    default:
      return `(${choice.map(plain).join(" ")})`;
  }
}

/** The specifications of an option: one for each of its names. */
function specs({ name, short, about, value, joined }: CompletedOption): string[] {
  const text = `[${plain(about)}]`;
  if (joined !== undefined) return [quoted(`*--${name}=-${text}:: :(${joined.join(" ")})`)];
  const taken = value === undefined ? "" : `:${plain(value.name)}:${action(value.choice)}`;
  const long = `*--${name}${value === undefined ? "" : "="}${text}${taken}`;
  return [quoted(long), ...(short === undefined ? [] : [quoted(`*-${short}${text}${taken}`)])];
}

function operandSpecs({ first, rest }: CompletedCommand): string[] {
  return [
    quoted(`1: :${action(first)}`),
    ...(rest === "nothing" ? [] : [quoted(`*: :${action(rest)}`)]),
  ];
}

/** The script. */
export function zshScript({ commands, options }: Completed): string {
  const list = commands.map(({ name, about }) => `    ${quoted(`${name}:${plain(about)}`)}`);
  const cases = commands.map((command) =>
    [
      `        ${command.name})`,
      "          _arguments \\",
      [...command.options.flatMap(specs), ...operandSpecs(command)]
        .map((spec) => `            ${spec}`).join(" \\\n"),
      "          ;;",
    ].join("\n")
  );
  return `#compdef pinscope
# Completion of pinscope for zsh; made by: pinscope completion zsh

_pinscope_devices() {
  local -a found names shown
  found=(\${(f)"$(pinscope __devices $pinscope_command $pinscope_model 2>/dev/null </dev/null)"})
  names=(\${found%%$'\\t'*})
  shown=(\${found/$'\\t'/  -- })
  compadd -l -d shown -a names
}

_pinscope() {
  local curcontext="$curcontext" state line
  typeset -A opt_args
  local pinscope_command pinscope_model=\${\${(M)words:#--model(|=*)}:+--model}
  local -a commands
  commands=(
${list.join("\n")}
  )
  _arguments -C \\
${options.flatMap(specs).map((spec) => `    ${spec}`).join(" \\\n")} \\
    '(-)1: :->command' '(-)*:: :->operands'
  case $state in
    command) _describe -t commands command commands ;;
    operands)
      curcontext="\${curcontext%:*}-$words[1]:"
      pinscope_command=$words[1]
      case $words[1] in
${cases.join("\n")}
      esac
      ;;
  esac
}

if [[ $funcstack[1] == _pinscope ]]; then
  _pinscope "$@"
else
  compdef _pinscope pinscope
fi
`;
}
