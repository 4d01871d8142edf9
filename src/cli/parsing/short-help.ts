import { EXIT_CODES } from '../../core/states.js';
import type { OptionDefinition } from '../options/common-options.js';
import { type OptionName, OPTIONS } from '../options/option-table.js';
import { DESCRIPTION, EXAMPLES, USAGE } from './help.js';

/** The options that most people need, in the order of the short help. */
const FREQUENT: readonly OptionName[] = [
  'timeout',
  'count',
  'continuous',
  'wait',
  'expect',
  'service',
  'diagnose',
  'output',
  'quiet',
  'explain',
];

/** The examples, by a word of theirs, that show how to begin. */
const FIRST_STEPS = ['mail.example.com 25', 'https:', '-c 5', '--wait', '22,80'];

const WIDTH = 27;

/** Columns that are left for the text of an option in 80. */
const ROOM = 80 - WIDTH - 2;

/** The values that fit into the line. */
function listOf(choices: readonly string[], count = choices.length): string {
  const list = `${choices.slice(0, count).join(', ')}${count < choices.length ? ' ...' : ''}`;
  return list.length > ROOM ? listOf(choices, count - 1) : list;
}

/** The first clause of an option's text in `--help`, or its values. */
function summaryOf({ help, choices }: OptionDefinition): string {
  const [clause = ''] = help.split(/[;:]| \(/);
  return choices && !help.includes(';') ? listOf(choices) : clause;
}

const optionLine = (name: OptionName): string =>
  `  ${OPTIONS[name].flags.padEnd(WIDTH)}${summaryOf(OPTIONS[name])}`;

/** What `-h` prints: at most 25 lines, made from the tables of `--help`. */
export function shortHelp(): string {
  const examples = FIRST_STEPS.flatMap((word) =>
    EXAMPLES.filter(([line]) => line.includes(word)).slice(0, 1),
  );
  const codes = EXIT_CODES.flatMap(({ exitCode, state }) =>
    state === null || exitCode > 4 ? [] : [`${exitCode} ${state}`],
  );
  return [
    `Usage: portping ${USAGE}`,
    '',
    ...DESCRIPTION.split(/(?<=not open,) /),
    '',
    ...examples.map(([command, purpose]) => `  ${command.padEnd(42)}${purpose}`),
    '',
    ...FREQUENT.map(optionLine),
    '',
    `Exit codes: ${codes.join(', ')}, 64 wrong usage`,
    'All options, examples and exit codes: portping --help',
    '',
  ].join('\n');
}
