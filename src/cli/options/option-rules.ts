import { SERVICES } from '../../core/service/registry.js';
import { TLS_SERVICE_NAMES } from '../../core/service/service-parameters.js';
import { FORMAT_RULES } from './format-rules.js';
import { longForm, OPTION_NAMES, type OptionName } from './option-table.js';
import { excludeEachOther, type Given, isRepeated, type Rule } from './rule.js';

const isWait = ({ options }: Given): boolean => options.wait !== undefined;
const isDiagnosis = ({ names }: Given): boolean => names.has('diagnose') || names.has('report');
const expectsOther = ({ options }: Given): boolean => options.expect !== 'open';
const useExpectOpen = ({ options }: Given): string =>
  `use it with --expect open, not ${options.expect}`;

const listOf = (names: readonly OptionName[]): string => names.map(longForm).join(', ');

const completionRules: readonly Rule[] = [
  ...OPTION_NAMES.filter((name) => name !== 'completion').map((option): Rule => ({
    option,
    unfit: ({ names }) => names.has('completion'),
    problem: 'cannot be combined with --completion',
    allowed: 'use --completion alone',
    examples: ['--completion bash'],
  })),
  {
    option: 'completion',
    unfit: ({ words }) => words.length > 0,
    problem: 'takes one shell and no target',
    allowed: ({ options }) => `write: portping --completion ${options.completion}`,
    examples: ['--completion bash'],
  },
];

const BESIDE_EXPLAIN: readonly OptionName[] = ['explain', 'color'];

const explainRules: readonly Rule[] = [
  ...OPTION_NAMES.filter((name) => !BESIDE_EXPLAIN.includes(name)).map((option): Rule => ({
    option,
    unfit: ({ names }) => names.has('explain'),
    problem: 'cannot be combined with --explain',
    allowed: 'allowed with it: --no-color',
    examples: ['--explain 10061 --no-color'],
  })),
  {
    option: 'explain',
    unfit: ({ words }) => words.length > 0,
    problem: 'takes one code and no target',
    allowed: ({ words }) => `leave out "${words.join(' ')}"`,
    examples: ['--explain 10061'],
  },
];

/** The options that a diagnosis takes. A new option is refused until it stands here. */
const DIAGNOSIS_OPTIONS: readonly OptionName[] = [
  'diagnose',
  'ipv4',
  'ipv6',
  'timeout',
  'ip',
  'companions',
  'report',
  'source',
  'dns',
  'output',
  'outputFile',
  'quiet',
  'color',
];

/** The formats of a diagnosis; with `--report` it is Markdown. */
const DIAGNOSIS_FORMATS = ['text', 'json'] as const;

const diagnosisRules: readonly Rule[] = [
  ...OPTION_NAMES.filter((name) => !DIAGNOSIS_OPTIONS.includes(name)).map((option): Rule => ({
    option,
    unfit: isDiagnosis,
    problem: 'does not apply to a diagnosis',
    allowed: `allowed with --diagnose: ${listOf(DIAGNOSIS_OPTIONS.slice(1))}`,
    examples: [
      '--diagnose -4 -w 2s --ip 192.0.2.1 --no-companions --no-color db 5432',
      '--diagnose -6 -o json --dns 192.0.2.53 --source ::1 db 5432',
      '--diagnose --report --output-file report.md db 5432',
      '--diagnose -q db 5432',
    ],
  })),
  {
    option: 'output',
    unfit: ({ names }) => names.has('report'),
    problem: 'cannot be combined with --report, which writes Markdown',
    allowed: 'use --diagnose --output json, or --report alone',
    examples: ['--diagnose --output json db 5432', '--report db 5432'],
  },
  {
    option: 'output',
    unfit: (given) =>
      isDiagnosis(given) && !DIAGNOSIS_FORMATS.some((each) => each === given.options.output),
    problem: ({ options }) => `a diagnosis cannot be written as ${options.output}`,
    allowed: `allowed: ${DIAGNOSIS_FORMATS.join(', ')}, or --report`,
    examples: [
      ...DIAGNOSIS_FORMATS.map((format) => `--diagnose --output ${format} db 5432`),
      '--report db 5432',
    ],
  },
  {
    option: 'ip',
    unfit: (given) => !isDiagnosis(given),
    problem: 'only a diagnosis probes a further address',
    allowed: 'use it with --diagnose or --report',
    examples: ['--ip 192.0.2.1 --diagnose db 5432', '--ip 192.0.2.1 --report db 5432'],
  },
  {
    option: 'companions',
    unfit: (given) => !isDiagnosis(given),
    problem: 'only a diagnosis probes other ports',
    allowed: 'use it with --diagnose or --report',
    examples: ['--no-companions --diagnose db 5432', '--no-companions --report db 5432'],
  },
];

const repetitionRules: readonly Rule[] = [
  {
    option: 'targets',
    unfit: ({ words }) => words.length > 0,
    problem: 'the targets come from the file',
    allowed: ({ words }) => `leave out "${words.join(' ')}"`,
    examples: ['--targets list.txt'],
  },
  excludeEachOther('count', 'continuous', ['--count 5 db 5432', '--continuous db 5432']),
  excludeEachOther('count', 'wait', ['--count 5 db 5432', '--wait db 5432']),
  excludeEachOther('continuous', 'wait', ['--continuous db 5432', '--wait db 5432']),
  excludeEachOther('wait', 'all', ['--wait db 5432', '--all db 5432']),
  {
    option: 'interval',
    unfit: (given) => !isRepeated(given) && !isWait(given),
    problem: 'there is only one probe',
    allowed: 'use it with -c 2 or more, -t or --wait',
    examples: ['-i 1s -c 5 db 5432', '-i 1s -t db 5432', '-i 1s --wait db 5432'],
  },
  ...(['histogram', 'summaryEvery'] as const).map((option): Rule => {
    const sample = option === 'histogram' ? '--histogram' : '--summary-every 60s';
    return {
      option,
      unfit: (given) => !isRepeated(given),
      problem: 'there is only one probe',
      allowed: 'use it with -c 2 or more, or with -t',
      examples: [`${sample} -c 5 db 5432`, `${sample} -t db 5432`],
    };
  }),
  {
    option: 'waitForName',
    unfit: (given) => !isWait(given),
    problem: 'has an effect only on a wait',
    allowed: 'use it with --wait',
    examples: ['--wait-for-name --wait db 5432'],
  },
  {
    option: '--',
    unfit: ({ command }) => !command?.[0],
    problem: 'no command follows',
    allowed: 'write: portping --wait <host> <port> -- <command>',
    examples: ['--wait db 5432 -- npm start'],
  },
  {
    option: 'targets',
    unfit: (given) => given.options.targets === '-' && (isRepeated(given) || isWait(given)),
    problem: 'standard input can be read only once',
    allowed: 'use a file with -c, -t or --wait',
    examples: ['--targets list.txt -c 5', '--targets list.txt -t', '--targets list.txt --wait'],
  },
  ...(['concurrency', 'rate'] as const).map((option): Rule => ({
    option,
    unfit: isWait,
    problem: 'cannot be combined with --wait',
    allowed: 'use --interval',
    examples: ['--wait --interval 1s db 5432'],
  })),
];

const expectationRules: readonly Rule[] = [
  ...(['maxLatency', 'warn', 'crit'] as const).map((option): Rule => ({
    option,
    unfit: expectsOther,
    problem: 'only an open port has a latency',
    allowed: useExpectOpen,
    examples: [
      option === 'maxLatency'
        ? '--max-latency 1s --expect open db 5432'
        : `${longForm(option)} 1s -o nagios --expect open db 5432`,
    ],
  })),
  {
    option: 'service',
    unfit: expectsOther,
    problem: 'only an open port has a service',
    allowed: useExpectOpen,
    examples: ['--service=https --expect open db 5432'],
  },
];

const tlsServices = `--service and one of ${TLS_SERVICE_NAMES.join(', ')}`;

const tlsRules: readonly Rule[] = (['sni', 'insecure', 'tlsMinDays'] as const).flatMap((option) => {
  const sample = { sni: ' example.com', insecure: '', tlsMinDays: ' 14' }[option];
  const examples = TLS_SERVICE_NAMES.map(
    (service) => `${longForm(option)}${sample} --service ${service} db 5432`,
  );
  return [
    {
      option,
      unfit: ({ names }) => !names.has('service'),
      problem: 'has an effect only on a service with TLS',
      allowed: `use it with ${tlsServices}`,
      examples,
    },
    {
      option,
      unfit: ({ options: { service } }) =>
        service !== undefined && service !== true && SERVICES[service].tls === null,
      problem: ({ options }) => `${options.service} has no TLS`,
      allowed: `use it with ${tlsServices}`,
      examples,
    },
  ] satisfies Rule[];
});

/**
 * Which options go together. The first rule that a command line breaks is the one it is refused
 * for, so a rule may rely on those above it.
 */
export const OPTION_RULES: readonly Rule[] = [
  ...completionRules,
  ...explainRules,
  ...diagnosisRules,
  excludeEachOther('ipv4', 'ipv6', ['-4 db 5432', '-6 db 5432']),
  ...FORMAT_RULES,
  ...repetitionRules,
  ...expectationRules,
  ...tlsRules,
];
