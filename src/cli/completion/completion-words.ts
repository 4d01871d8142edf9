import { BUILT_IN_NAMES } from '../../core/target/port-names.js';
import type { OptionDefinition } from '../options/common-options.js';
import { createProgram } from '../parsing/option-parser.js';
import { longForm, OPTION_NAMES, OPTIONS } from '../options/option-table.js';

/** What a shell can offer for the value of an option. */
export type ValueKind = 'list' | 'file' | 'host' | 'other';

/** An option, as the scripts need it. */
export interface CompletionOption {
  /** Its forms: `-w`, `--timeout`. */
  readonly forms: readonly string[];
  /** The beginning of its text in `--help`. */
  readonly summary: string;
  /** Null for an option without a value. */
  readonly value: {
    readonly kind: ValueKind;
    /** The allowed values; empty if they are not a list. */
    readonly choices: readonly string[];
    /** If the value may be left out: the form of a word that is the value. */
    readonly form: string | null;
  } | null;
}

const KINDS: Readonly<Record<string, ValueKind>> = { file: 'file', path: 'file', host: 'host' };

const DEFINITIONS: ReadonlyMap<string, OptionDefinition> = new Map(
  OPTION_NAMES.map((name) => [longForm(name), OPTIONS[name]]),
);

/** The text of `--help` up to its first further clause, without the list of the choices. */
function summaryOf(help: string, choices: readonly string[]): string {
  const [clause = ''] = help.split(/;| \(/);
  return choices.length > 0 ? (clause.split(':')[0] ?? '') : clause;
}

/** Every option that `--help` lists, in its order. */
export function completionOptions(): readonly CompletionOption[] {
  const visible = createProgram(() => {}).options.filter(({ hidden }) => !hidden);
  return visible.map(({ long, short, flags, description }) => {
    const { choices = [], form } = DEFINITIONS.get(long ?? short ?? '') ?? {};
    // They take a word only to refuse it.
    const isHelp = long === '--help' || short === '-h';
    const [, placeholder] = isHelp ? [] : (/[<[](.+)[>\]]/.exec(flags) ?? []);
    const kind = choices.length > 0 ? 'list' : (KINDS[placeholder ?? ''] ?? 'other');
    return {
      forms: [short, long].filter((each) => each !== undefined),
      summary: summaryOf(description, choices),
      value: placeholder === undefined ? null : { kind, choices, form: form?.source ?? null },
    };
  });
}

/** What can stand after the host. */
export const PORT_NAMES = BUILT_IN_NAMES;

/**
 * An awk program that prints the host names of a hosts file and of SSH's known hosts. Entries that
 * are hashed, patterns and IPv6 addresses are left out. It has no single quote.
 */
const HOST_NAMES = `
  /^[#|@]/ { next }
  FILENAME == "/etc/hosts" {
    for (i = 2; i <= NF && $i !~ /^#/; i++) print $i
    next
  }
  {
    n = split($1, names, ",")
    for (i = 1; i <= n; i++) {
      sub(/^[[]/, "", names[i])
      sub(/[]]:[0-9]+$/, "", names[i])
      if (names[i] !~ /[*?!:]/) print names[i]
    }
  }
`;

/** A command line that prints the names of known hosts, for bash, zsh and fish. */
export const LIST_HOSTS = `awk '${HOST_NAMES}' /etc/hosts ~/.ssh/known_hosts 2>/dev/null`;

/** The options whose value must be given, and those whose value may be left out. */
export function optionsWithValue(options: readonly CompletionOption[]): {
  readonly required: readonly CompletionOption[];
  readonly optional: readonly { readonly name: string; readonly form: string }[];
} {
  return {
    required: options.filter(({ value }) => value?.form === null),
    optional: options.flatMap(({ forms: [name = ''], value }) =>
      value?.form ? [{ name, form: value.form }] : [],
    ),
  };
}
