import {
  type CompletionOption,
  LIST_HOSTS,
  optionsWithValue,
  PORT_NAMES,
} from './completion-words.js';

const quote = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`;

/** The arguments of `complete` for an option: how it is written, its value and its text. */
function completeOption({ forms, summary, value }: CompletionOption): string {
  const names = forms.map((form) =>
    form.startsWith('--') ? `-l ${form.slice(2)}` : `-s ${form.slice(1)}`,
  );
  const values = {
    list: `-a ${quote(value?.choices.join(' ') ?? '')}`,
    file: '-r -F',
    host: "-a '(__portping_hosts)'",
    other: '',
  }[value?.kind ?? 'other'];
  // -x is -r (needs a value) without files.
  const isExclusive = value?.form === null && value.kind !== 'file';
  const words = [...names, isExclusive ? '-x' : '', values, `-d ${quote(summary)}`];
  return `complete -c portping ${words.filter((word) => word !== '').join(' ')}`;
}

/** The script for fish 3 and later. */
export function fishScript(options: readonly CompletionOption[]): string {
  const { required, optional } = optionsWithValue(options);
  const optionalCases = optional.map(
    ({ name, form }) => `            case ${name}
                string match -rqi -- ${quote(form)} "$words[1]"; and set -e words[1]`,
  );
  const nextWords = options.flatMap(({ forms, value }) =>
    value?.form && value.choices.length > 0
      ? [
          `complete -c portping -n '__portping_follows ${forms.join(' ')}' ` +
            `-a ${quote(value.choices.join(' '))}`,
        ]
      : [],
  );
  return `# fish completion for portping.
# In ~/.config/fish/config.fish: portping --completion fish | source

function __portping_hosts
    ${LIST_HOSTS}
end

# The ports after a host and a colon in one word.
function __portping_ports_of_host
    set -l host (string match -r '^.+:' -- (commandline -ct)); or return
    printf '%s\\n' $host{${PORT_NAMES.join(',')}}
end

# Whether what comes next is a host, a port or a command: $argv. Words after -- are a command with
# --wait, else targets.
function __portping_expects
    set -l words (commandline -opc)[2..-1]
    set -l context host
    while set -q words[1]
        set -l word $words[1]
        set -e words[1]
        switch $word
            case --
                set -q words[1]; and set context port
                string match -q -- '--wait*' (commandline -opc); and set context command
                break
            case ${required.flatMap(({ forms }) => forms).join(' ')}
                set -e words[1]
${optionalCases.join('\n')}
            case '-*'
            case '*'
                set context port
        end
    end
    test $context = "$argv"
end

# Whether the word before is one of $argv.
function __portping_follows
    contains -- (commandline -opc)[-1] $argv
end

complete -c portping -f
${options.map(completeOption).join('\n')}
${nextWords.join('\n')}
complete -c portping -n '__portping_expects host' -a '(__portping_hosts; __portping_ports_of_host)'
complete -c portping -n '__portping_expects port' -a ${quote(PORT_NAMES.join(' '))}
complete -c portping -n '__portping_expects command' -a '(complete -C (commandline -ct))'
`;
}
