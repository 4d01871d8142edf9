import { EXIT_CODES, type ExitCodeRow } from '../core/states.js';
import type { ManualPage } from '../report/formats/manual-page.js';
import { DESCRIPTION, EXAMPLES, TARGET_HELP, USAGE } from './parsing/help.js';
import { VARIABLES } from './options/common-options.js';
import { createProgram } from './parsing/option-parser.js';
import { longForm, type OptionName } from './options/option-table.js';

const exitCodeTerm = ({ exitCode, state }: ExitCodeRow): string =>
  `${exitCode}${state === null ? '' : ` ${state}`}`;

const exitCodeText = ({ meaning, reasons }: ExitCodeRow): string =>
  reasons.length === 0 ? meaning : `${meaning} (${reasons.join(', ')})`;

/** What the environment changes. */
const ENVIRONMENT = [
  ...Object.entries(VARIABLES).map(([name, variable]) => ({
    term: variable,
    text:
      `the value of ${longForm(name as OptionName)} where the command line has none; ` +
      'an empty one counts as unset',
  })),
  { term: 'NO_COLOR', text: 'use no colours' },
  { term: 'FORCE_COLOR', text: 'use colours, also where the output is no terminal' },
];

/** The manual page of the command, from the tables that `--help` is made from. */
export function commandManual(): ManualPage {
  const program = createProgram(() => {});
  const help = program.createHelp();
  return {
    name: 'portping',
    purpose: DESCRIPTION,
    usages: USAGE.split(/\n *portping /),
    sections: [
      { title: 'DESCRIPTION', text: `A target is ${TARGET_HELP}.` },
      {
        title: 'OPTIONS',
        entries: help.visibleOptions(program).map((option) => ({
          term: help.optionTerm(option),
          text: help.optionDescription(option),
        })),
      },
      {
        title: 'EXIT STATUS',
        entries: EXIT_CODES.map((row) => ({ term: exitCodeTerm(row), text: exitCodeText(row) })),
      },
      { title: 'ENVIRONMENT', entries: ENVIRONMENT },
      {
        title: 'EXAMPLES',
        entries: EXAMPLES.map(([command, purpose]) => ({ term: command, text: purpose })),
      },
    ],
    related: ['portping-exporter'],
  };
}
