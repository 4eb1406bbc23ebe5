/**
 * Completion for bash, without the package bash-completion.
 *
 * @module
 */

import type { Choice, Completed, CompletedOption } from "./completion.ts";

const flags = (options: readonly CompletedOption[]): string =>
  options.map(({ name }) => `--${name}`).join(" ");

/** A call that fills COMPREPLY. */
function filled(choice: Choice): string {
  switch (choice) {
    case "nothing":
      return ":";
    case "files":
      return "_pinscope_files";
    case "devices":
      return "_pinscope_devices";
    default:
      return `_pinscope_words "${choice.join(" ")}"`;
  }
}

function patterns({ name, short }: CompletedOption): string {
  return short === undefined ? `--${name}` : `--${name} | -${short}`;
}

/** A case for each option that takes a value, or may have one behind "=". */
function values(command: string, options: readonly CompletedOption[]): string[] {
  return options.flatMap((option) => {
    const choice = option.value?.choice ?? option.joined;
    return choice === undefined
      ? []
      : patterns(option).split(" | ").map((pattern) =>
        `    "${command} ${pattern}") isvalue=1; ${filled(choice)} ;;`
      );
  });
}

/** The script. */
export function bashScript({ commands, options }: Completed): string {
  const takers = [...new Set(commands.flatMap((command) => command.options))]
    .flatMap((option) => option.value === undefined ? [] : patterns(option).split(" | "));
  return `# Completion of pinscope for bash; made by: pinscope completion bash
_pinscope_words() { COMPREPLY=($(compgen -W "$1" -- "$cur")); }
_pinscope_files() { local IFS=$'\\n'; compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")); }
_pinscope_devices() {
  local name rest names=""
  while IFS=$'\\t' read -r name rest; do names+=" $name"; done < <(pinscope __devices "$command" $model 2>/dev/null </dev/null)
  _pinscope_words "$names"
}

# What the value of option $2 of command $1 may be.
_pinscope_value() {
  case "$1 $2" in
${commands.flatMap(({ name, options }) => values(name, options)).join("\n")}
${values("", options).join("\n")}
  esac
}

_pinscope() {
  local line="\${COMP_LINE:0:COMP_POINT}" words cur word command="" option="" operands=0 isvalue="" model=""
  COMPREPLY=()
  # Bash breaks words at ":" too, of which devices are full.
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  cur="\${words[\${#words[@]} - 1]}"
  for word in "\${words[@]:1:\${#words[@]} - 2}"; do
    if [[ -n $option ]]; then option=""; continue; fi
    case "$word" in
      ${[...new Set(takers)].join(" | ")}) option="$word" ;;
      --model | --model=*) model=--model ;;
      -*) ;;
      *) if [[ -z $command ]]; then command="$word"; else operands=$((operands + 1)); fi ;;
    esac
  done
  local before=""
  if [[ -n $option ]]; then
    _pinscope_value "$command" "$option"
  elif [[ $cur == --*=* ]]; then
    option="\${cur%%=*}"
    before="$option="
    cur="\${cur#*=}"
    _pinscope_value "$command" "$option"
  elif [[ $cur == -* ]]; then
    case "$command" in
${
    commands.map(({ name, options }) => `      ${name}) _pinscope_words "${flags(options)}" ;;`)
      .join("\n")
  }
      *) _pinscope_words "${flags(options)}" ;;
    esac
  elif [[ -z $command ]]; then
    _pinscope_words "${commands.map(({ name }) => name).join(" ")}"
  else
    case "$command $((operands > 0))" in
${
    commands.map(({ name, first, rest }) =>
      `      "${name} 0") ${filled(first)} ;;\n      "${name} 1") ${filled(rest)} ;;`
    ).join("\n")
  }
    esac
  fi
  # Bash puts an answer in the place of what stands behind the last break.
  local whole="$before$cur" i
  for sign in : =; do
    [[ $COMP_WORDBREAKS == *"$sign"* && $whole == *"$sign"* ]] || continue
    local head="\${whole%"\${whole##*"$sign"}"}"
    for i in "\${!COMPREPLY[@]}"; do
      local reply="$before\${COMPREPLY[i]}"
      COMPREPLY[i]="\${reply#"$head"}"
    done
    before=""
    whole="\${whole#"$head"}"
  done
}

complete -F _pinscope pinscope
`;
}
