import { Command, CommanderError, Option } from 'commander';
import { UsageError } from '../../core/usage-error.js';
import { type OptionDefinition, VARIABLES } from '../options/common-options.js';
import {
  addHelpOptions,
  DESCRIPTION,
  helpEnd,
  readHelpRequest,
  TARGET_HELP,
  USAGE,
} from './help.js';
import {
  type CommandLine,
  longForm,
  OPTION_NAMES,
  type OptionName,
  OPTIONS,
  SAMPLE_VALUES,
} from '../options/option-table.js';
import { refusal } from '../options/rule.js';
import { shortHelp } from './short-help.js';

declare const PORTPING_VERSION: string;

/** Stands for a value that was left out. A word of a command line cannot contain NUL. */
const NO_VALUE = '\0';

const definitionOf = (name: OptionName): OptionDefinition => OPTIONS[name];

/** Options whose value may be left out, by their long form. */
const OPTIONAL = new Map(
  OPTION_NAMES.filter((name) => definitionOf(name).form).map((name) => [
    longForm(name),
    definitionOf(name),
  ]),
);

/** How a word that follows an option with an optional value was read, if it was misread. */
function misreading(option: string, next: string, words: readonly string[]): string {
  const { form, kind } = OPTIONAL.get(option) ?? {};
  const [first = '', ...rest] = words;
  if (form?.test(next)) {
    // `--service smtp 25`: a host may have the name of a service.
    if (option !== '--service' || rest.length > 0 || !/^[\d,-]+$/.test(first)) return '';
    const instead = `${option}=${next.toLowerCase()} ${next} <port>`;
    return `; "${next}" was read as the service; for a host of that name write ${instead}`;
  }
  if (words.length <= 2 || !/^[a-z][\w+-]*$/i.test(next)) return '';
  return `; "${next}" was read as the host, because it is not ${kind}`;
}

/**
 * Joins each optional value to its option. commander would take any next word for it: in
 * `--wait db 5432` and `--service db 5432`, `db` is the host.
 */
function joinOptionalValues(words: readonly string[]): {
  readonly joined: string[];
  readonly hintFor: (targetWords: readonly string[]) => string;
} {
  const joined: string[] = [];
  const pairs: [option: string, next: string][] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    const next = words[index + 1];
    const definition = OPTIONAL.get(word);
    if (definition === undefined) {
      joined.push(word);
      continue;
    }
    if (next !== undefined) pairs.push([word, next]);
    const isValue = next !== undefined && definition.form?.test(next) === true;
    joined.push(`${word}=${isValue ? next : NO_VALUE}`);
    if (isValue) index += 1;
  }
  return {
    joined,
    hintFor: (targetWords) =>
      pairs.map(([option, next]) => misreading(option, next, targetWords)).join(''),
  };
}

/** commander's program with every option. */
export function createProgram(write: (text: string) => void): Command {
  const program = new Command('portping')
    .description(DESCRIPTION)
    .usage(USAGE)
    .argument('[target...]', TARGET_HELP)
    .addHelpText('after', () => helpEnd())
    .configureOutput({ writeOut: write, writeErr: () => {} })
    .exitOverride();
  const variables: Partial<Record<OptionName, string>> = VARIABLES;
  for (const name of OPTION_NAMES) {
    const { flags, help } = definitionOf(name);
    const option = new Option(flags, help);
    program.addOption(variables[name] === undefined ? option : option.env(variables[name]));
  }
  addHelpOptions(program);
  return program;
}

/** Which options were given, how often, and their values. */
function watchOptions(program: Command): {
  readonly texts: Map<OptionName, string | boolean>;
  readonly twice: OptionName[];
} {
  const texts = new Map<OptionName, string | boolean>();
  const twice: OptionName[] = [];
  for (const name of OPTION_NAMES) {
    const { flags, once } = definitionOf(name);
    const option = new Option(flags);
    program.on(`option:${option.name()}`, (text?: string | null) => {
      if (texts.has(name) && once) twice.push(name);
      const isGiven = text !== undefined && text !== null && text !== NO_VALUE;
      texts.set(name, isGiven ? text : !option.negate);
    });
  }
  return { texts, twice };
}

/** commander's refusals in the one form. */
function refusalOf({ code, message }: CommanderError, program: Command): Error {
  const [, quoted = ''] = /'([^']*)'/s.exec(message) ?? [];
  if (code === 'commander.optionMissingArgument') {
    const { long, short, flags } = new Option(quoted);
    const [, placeholder = ''] = /<(.+)>/.exec(flags) ?? [];
    const name = long ?? short ?? flags;
    return refusal(name, 'needs a value', `write: ${name} ${SAMPLE_VALUES[placeholder]}`);
  }
  if (/^-\d/.test(quoted))
    return refusal('port', `${quoted} is out of range`, 'allowed: 1 to 65535');
  const name = quoted.replace(/=.*$/s, '');
  const known = program.options.find(({ long, short }) => name === long || name === short);
  if (known?.long) return refusal(name, 'takes no value', `write: ${name}`);
  const [, similar] = /\(Did you mean (?:one of )?(.+)\?\)/.exec(message) ?? [];
  const advice = similar === undefined ? 'leave it out' : `did you mean ${similar}?`;
  return refusal(quoted, 'unknown option', advice);
}

/**
 * Reads the options off a command line that may be wrong. What stands in it is read even then: the
 * format decides how the error is shown.
 *
 * @param words the words before `--`
 * @param command the words after `--`; null without `--`
 */
export function parseOptions(
  words: readonly string[],
  command: readonly string[] | null,
): CommandLine {
  let shown = '';
  const program = createProgram((text) => {
    shown += text;
  });
  const { texts, twice } = watchOptions(program);
  const { joined, hintFor } = joinOptionalValues(words);
  const line = { texts, command, shown: null, problem: null };
  try {
    program.parse(joined, { from: 'user' });
    const [repeated] = twice;
    if (repeated !== undefined) throw refusal(longForm(repeated), 'given twice', 'allowed: once');
    const request = readHelpRequest(program, command !== null);
    if (request === 'help') program.outputHelp();
    if (request === 'h') shown = shortHelp();
    if (request === 'version') shown = `${PORTPING_VERSION}\n`;
    const hint = hintFor(program.args);
    return { ...line, words: program.args, hint, shown: request === null ? null : shown };
  } catch (error) {
    const problem = error instanceof CommanderError ? refusalOf(error, program) : error;
    if (!(problem instanceof UsageError)) throw error;
    return { ...line, words: program.args, hint: '', problem };
  }
}
