import {
  type DisplayOption,
  FORMAT_NAMES,
  FORMATS,
  formatsThatShow,
} from '../../report/formats/registry.js';
import { isPipe } from '../../core/system-file.js';
import { longForm } from './option-table.js';
import { excludeEachOther, type Given, isRepeated, type Rule } from './rule.js';

const isCheck = ({ options }: Given): boolean => FORMATS[options.output].isCheck;

const DISPLAY_OPTIONS = [
  'quiet',
  'verbose',
  'timestamps',
  'histogram',
  'summaryEvery',
] as const satisfies readonly DisplayOption[];

/** What follows an option that shows something of a series, in an example. */
const SERIES_DISPLAY: Partial<Record<DisplayOption, string>> = {
  histogram: ' -c 5',
  summaryEvery: ' 60s -c 5',
};

/** What each format cannot do, from the registry of formats. */
const formatRules: readonly Rule[] = FORMAT_NAMES.flatMap((format) => {
  const { shows, onceBecause } = FORMATS[format];
  const examples = [`-o ${format} db 5432`];
  const hasFormat = ({ options }: Given): boolean => options.output === format;
  const once = (['count', 'continuous', 'wait'] as const).map((option): Rule => ({
    option,
    unfit: (given) => hasFormat(given) && (option === 'wait' || isRepeated(given)),
    problem: `cannot be combined with --output ${format}, because ${onceBecause}`,
    allowed: 'leave it out',
    examples,
  }));
  const hidden = DISPLAY_OPTIONS.filter((option) => !shows[option]).map((option): Rule => ({
    option,
    unfit: hasFormat,
    problem: `has no effect with --output ${format}`,
    allowed: `use it with --output ${formatsThatShow(option).join(', ')}`,
    examples: formatsThatShow(option).map(
      (each) => `${longForm(option)}${SERIES_DISPLAY[option] ?? ''} -o ${each} db 5432`,
    ),
  }));
  return [...(onceBecause === null ? [] : once), ...hidden];
});

/** A check ends within its timeout, or its scheduler kills it: nothing may delay its probes. */
const monitoringRules: readonly Rule[] = [
  ...(['warn', 'crit'] as const).map((option): Rule => ({
    option,
    unfit: (given) => !isCheck(given),
    problem: 'only a check has thresholds',
    allowed: 'use it with --output nagios, or use --max-latency',
    examples: [`${longForm(option)} 1s --output nagios db 5432`, '--max-latency 1s db 5432'],
  })),
  {
    option: 'targets',
    unfit: (given) => {
      const { targets } = given.options;
      return isCheck(given) && targets !== undefined && (targets === '-' || isPipe(targets));
    },
    problem: 'a check cannot wait for a pipe',
    allowed: 'use a file with --output nagios',
    examples: ['--targets list.txt --output nagios'],
  },
  ...(['concurrency', 'rate'] as const).map((option): Rule => ({
    option,
    unfit: isCheck,
    problem: 'a check probes all its targets at once, to end within --timeout',
    allowed: 'leave it out',
    examples: ['--output nagios db 5432,5433'],
  })),
  {
    option: 'maxLatency',
    unfit: isCheck,
    problem: 'a check has thresholds',
    allowed: 'use --warn or --crit',
    examples: ['-o nagios --warn 1s db 5432', '-o nagios --crit 1s db 5432'],
  },
];

const outputRules: readonly Rule[] = [
  excludeEachOther('quiet', 'verbose', ['--quiet db 5432', '--verbose db 5432']),
  excludeEachOther('quiet', 'timestamps', ['--quiet db 5432', '--timestamps db 5432']),
  excludeEachOther('outputFile', 'quiet', ['--output-file results.txt db 5432', '--quiet db 5432']),
  {
    option: 'outputFile',
    unfit: ({ names }) => names.has('continuous'),
    problem: 'the file is written at the end of the run, and --continuous has no end',
    allowed: 'use --count',
    examples: ['--output-file results.txt --count 5 db 5432'],
  },
  {
    option: 'outputFile',
    unfit: ({ command }) => command !== null,
    problem: 'cannot be combined with a command after --',
    allowed: 'use --wait without a command',
    examples: ['--output-file results.txt --wait db 5432'],
  },
];

/** Which options fit the format, and the file that the results are written to. */
export const FORMAT_RULES: readonly Rule[] = [...formatRules, ...monitoringRules, ...outputRules];
