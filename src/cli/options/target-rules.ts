import { familyOf } from '../../core/target/target.js';
import { FORMATS } from '../../report/formats/registry.js';
import { MAX_REPEATED_TARGETS } from './common-options.js';
import { type Given, isRepeated, type Rule } from './rule.js';

const chosenFamily = ({ options: { ipv4, ipv6 } }: Given): 4 | 6 | undefined =>
  ipv4 ? 4 : ipv6 ? 6 : undefined;

const sourceFamily = ({ options: { source } }: Given): 4 | 6 | null =>
  source === undefined ? null : familyOf(source);

const describeSource = (given: Given): string =>
  `${given.options.source} is an IPv${sourceFamily(given)} address`;

/** The literal addresses that a command line names: its only target, and that of `--ip`. */
function addresses({ options, block }: Given): string[] {
  const [target] = block?.size === 1 ? block.targets() : [];
  return [target?.host, options.ip].filter(
    (host) => host !== undefined && familyOf(host) !== null,
  ) as string[];
}

const isTooMany = ({ block }: Given): boolean => (block?.size ?? 0) > MAX_REPEATED_TARGETS;

const howMany = ({ block }: Given): string => `there are ${block?.size} targets`;

/** An address that the chosen family leaves out. */
const familyRules: readonly Rule[] = (['ipv4', 'ipv6'] as const).map((option) => {
  const family = option === 'ipv4' ? 4 : 6;
  const strange = (given: Given): string | undefined =>
    addresses(given).find((address) => familyOf(address) !== family);
  return {
    option,
    unfit: (given) => strange(given) !== undefined,
    problem: (given) => `${strange(given)} is an IPv${10 - family} address`,
    allowed: `use -${10 - family}, or an IPv${family} address`,
    examples: ['-4 192.0.2.1 443', '-6 2001:db8::1 443'],
  };
});

const sourceRules: readonly Rule[] = [
  {
    option: 'source',
    unfit: (given) => {
      const family = chosenFamily(given);
      return family !== undefined && sourceFamily(given) !== family;
    },
    problem: (given) => `${describeSource(given)}, but -${chosenFamily(given)} was given`,
    allowed: (given) => `use an IPv${chosenFamily(given)} address`,
    examples: ['--source 192.0.2.1 -4 db 5432', '--source ::1 -6 db 5432'],
  },
  {
    option: 'source',
    unfit: (given) => addresses(given).some((each) => familyOf(each) !== sourceFamily(given)),
    problem: (given) => {
      const other = addresses(given).find((each) => familyOf(each) !== sourceFamily(given)) ?? '';
      return `${describeSource(given)}, but ${other} is IPv${familyOf(other)}`;
    },
    allowed: (given) => `use an IPv${sourceFamily(given) === 4 ? 6 : 4} address`,
    examples: ['--source 192.0.2.1 192.0.2.2 443', '--source ::1 2001:db8::1 443'],
  },
];

const countRules: readonly Rule[] = [
  {
    option: 'arguments',
    unfit: (given) => isTooMany(given) && FORMATS[given.options.output].isCheck,
    problem: howMany,
    allowed: `allowed in one check: ${MAX_REPEATED_TARGETS}`,
    examples: ['-o nagios 192.0.2.1 1-1000'],
  },
  {
    option: 'arguments',
    unfit: (given) => isTooMany(given) && (isRepeated(given) || given.options.wait !== undefined),
    problem: howMany,
    allowed: `allowed with -c, -t or --wait: ${MAX_REPEATED_TARGETS}`,
    examples: ['-c 2 192.0.2.1 1-1000', '-t 192.0.2.1 1-1000', '--wait 192.0.2.1 1-1000'],
  },
  {
    option: 'concurrency',
    unfit: ({ block }) => block?.size === 1,
    problem: 'there is only one target',
    allowed: 'use it with several targets',
    examples: ['--concurrency 5 db 5432,5433'],
  },
  {
    option: 'rate',
    unfit: (given) => given.block?.size === 1 && !isRepeated(given),
    problem: 'there is only one probe',
    allowed: 'use it with several targets, -c 2 or more, or -t',
    examples: ['--rate 5 db 5432,5433', '--rate 5 -c 5 db 5432', '--rate 5 -t db 5432'],
  },
];

/** Which targets and options go together; checked when the targets are parsed. */
export const TARGET_RULES: readonly Rule[] = [...sourceRules, ...familyRules, ...countRules];
