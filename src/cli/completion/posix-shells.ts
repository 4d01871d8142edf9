import {
  type CompletionOption,
  LIST_HOSTS,
  optionsWithValue,
  PORT_NAMES,
  type ValueKind,
} from './completion-words.js';

const quote = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** Functions that bash and zsh share: the known hosts, and what the words so far ask for next. */
function sharedFunctions(options: readonly CompletionOption[]): string {
  const { required, optional } = optionsWithValue(options);
  const optionalCases = optional.map(
    ({ name, form }) => `      ${name})
        form=${quote(form)}
        if [[ $# -eq 0 ]]; then optional=$word; elif [[ $1 =~ $form ]]; then shift; fi
        ;;`,
  );
  return `_portping_hosts() {
  ${LIST_HOSTS}
}

# Sets $context to what comes after these words: host, port, command, or an option that needs a
# value. Sets $optional to the option before, if its value may be left out. Words after -- are a
# command with --wait, else targets.
_portping_read() {
  local word form waits=
  context=host
  optional=
  while [[ $# -gt 0 ]]; do
    word=$1
    shift
    [[ $word == --wait* ]] && waits=yes
    case $word in
      --)
        [[ $# -gt 0 ]] && context=port
        [[ -n $waits ]] && context=command
        return
        ;;
      ${required.flatMap(({ forms }) => forms).join('|')})
        if [[ $# -eq 0 ]]; then context=$word; return; fi
        shift
        ;;
${optionalCases.join('\n')}
      -*) ;;
      *) context=port ;;
    esac
  done
}`;
}

/** A branch of `case` for each option with a value that the shell can offer. */
function valueCases(
  options: readonly CompletionOption[],
  offer: Readonly<Record<ValueKind, (choices: string) => string>>,
): string {
  const lines = options.flatMap(({ forms, value }) =>
    value === null || value.kind === 'other'
      ? []
      : [`    ${forms.join('|')}) ${offer[value.kind](value.choices.join(' '))} ;;`],
  );
  return [...lines, '    -*) ;;'].join('\n');
}

/** The script for bash 3.2 and later. */
export function bashScript(options: readonly CompletionOption[]): string {
  const cases = valueCases(options, {
    list: (choices) => `words='${choices}'`,
    file: () => 'files=yes',
    host: () => 'words=$(_portping_hosts)',
    other: () => '',
  });
  return `# bash completion for portping. In ~/.bashrc: eval "$(portping --completion bash)"

${sharedFunctions(options)}

# Sets $words and $files to what the option $1 takes.
_portping_values() {
  case $1 in
${cases}
  esac
}

_portping() {
  local IFS=$' \\t\\n' line=\${COMP_LINE:0:COMP_POINT} current context optional words= files=
  local -a typed
  read -r -a typed <<<"$line"
  [[ $line == *[[:space:]] ]] && typed+=('')
  current=\${typed[\${#typed[@]} - 1]}
  _portping_read "\${typed[@]:1:\${#typed[@]} - 2}"
  COMPREPLY=()
  case $context:$current in
    command:*) COMPREPLY=($(compgen -c -- "$current")); return ;;
    -*:*) _portping_values "$context" ;;
    *:--*=*) _portping_values "\${current%%=*}"; current=\${current#*=} ;;
    *:-*) words='${options.flatMap(({ forms }) => forms).join(' ')}' ;;
    host:*:*) words='${PORT_NAMES.join(' ')}'; current=\${current##*:} ;;
    host:*) _portping_values "$optional"; words+=" $(_portping_hosts)" ;;
    port:*) _portping_values "$optional"; words+=' ${PORT_NAMES.join(' ')}' ;;
  esac
  if [[ -n $files ]]; then
    IFS=$'\\n' COMPREPLY=($(compgen -f -- "$current"))
    compopt -o filenames 2>/dev/null
  else
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}

complete -F _portping portping
`;
}

/** The script for zsh, to evaluate or to save as `_portping` in a folder of \$fpath. */
export function zshScript(options: readonly CompletionOption[]): string {
  const cases = valueCases(options, {
    list: (choices) => `compadd -- ${choices}`,
    file: () => '_files',
    host: () => 'compadd -- $(_portping_hosts)',
    other: () => '',
  });
  const described = options.flatMap(({ forms, summary }) =>
    forms.map((form) => `    ${quote(`${form}:${summary.replaceAll(':', String.raw`\:`)}`)}`),
  );
  return `#compdef portping
# zsh completion for portping. In ~/.zshrc, after compinit: eval "$(portping --completion zsh)"

${sharedFunctions(options)}

# Offers what the option $1 takes.
_portping_values() {
  case $1 in
${cases}
  esac
}

_portping_options() {
  local -a options
  options=(
${described.join('\n')}
  )
  _describe -o option options
}

_portping() {
  local context optional end
  _portping_read "\${(@)words[2,CURRENT-1]}"
  case $context:$PREFIX in
    command:*)
      end=\${words[(i)--]}
      words=("\${(@)words[end+1,-1]}")
      ((CURRENT -= end))
      _normal
      ;;
    -*:*) _portping_values "$context" ;;
    *:--*=*) end=\${PREFIX%%=*}; compset -P 1 '*='; _portping_values "$end" ;;
    *:-*) _portping_options ;;
    host:*:*) compset -P '*:'; compadd -- ${PORT_NAMES.join(' ')} ;;
    host:*) _portping_values "$optional"; compadd -- $(_portping_hosts) ;;
    port:*) _portping_values "$optional"; compadd -- ${PORT_NAMES.join(' ')} ;;
  esac
}

if [[ $funcstack[1] == _portping ]]; then
  _portping "$@"
else
  compdef _portping portping
fi
`;
}
