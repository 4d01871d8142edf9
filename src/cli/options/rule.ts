import type { TargetBlock } from '../../core/target/target-list.js';
import { UsageError } from '../../core/usage-error.js';
import { longForm, type OptionName, type OptionValues } from './option-table.js';

/** What a command line holds, for the rules that check it. */
export interface Given {
  readonly options: OptionValues;
  /** The options that were given, without those that only have their default. */
  readonly names: ReadonlySet<OptionName>;
  /** The environment variables that gave a value, by option. */
  readonly variables?: ReadonlyMap<OptionName, string> | undefined;
  /** The words that are not options. */
  readonly words: readonly string[];
  /** The words after `--` if they are a command, which runs after a wait; otherwise null. */
  readonly command: readonly string[] | null;
  /** The targets, once they are parsed; null while they are not, and for `--targets`. */
  readonly block: TargetBlock | null;
}

type Text = string | ((given: Given) => string);

/** One reason to refuse an option, or the words that are not options. */
export interface Rule {
  /** The rule is about this option, and is checked only if it is given. */
  readonly option: OptionName | '--' | 'arguments';
  /** Whether the option does not fit the rest of the command line. */
  readonly unfit: (given: Given) => boolean;
  /** What is wrong. */
  readonly problem: Text;
  /** What is allowed instead; starts with a verb or "allowed". */
  readonly allowed: Text;
  /** Command lines that do what `allowed` says. They are accepted; a test checks that. */
  readonly examples: readonly string[];
}

/** A refusal in the one form: `<argument>: <what is wrong>; <what is allowed>`. */
export const refusal = (argument: string, problem: string, allowed: string): UsageError =>
  new UsageError(`${argument}: ${problem}; ${allowed}`);

/** Whether targets are probed more than once, not counting a wait. */
export const isRepeated = ({ options: { count = 1, continuous } }: Given): boolean =>
  count > 1 || continuous === true;

function isGiven({ option }: Rule, { names, command }: Given): boolean {
  if (option === '--') return command !== null;
  return option === 'arguments' || names.has(option);
}

/** Where an option that a text names was set, if that was not the command line. */
function originOf(text: string, { variables = new Map<OptionName, string>() }: Given): string {
  const [found] = [...variables].filter(([name]) => text.includes(longForm(name)));
  return found === undefined ? '' : ` (set by ${found[1]})`;
}

/**
 * Checks a command line against rules.
 *
 * @throws UsageError for the first rule that it breaks
 */
export function enforceRules(rules: readonly Rule[], given: Given): void {
  const broken = rules.find((rule) => isGiven(rule, given) && rule.unfit(given));
  if (!broken) return;
  const { option, problem, allowed } = broken;
  const [problemText, allowedText] = [problem, allowed].map((text) =>
    typeof text === 'string' ? text : text(given),
  );
  const isOption = option !== '--' && option !== 'arguments';
  const argument = isOption ? (given.variables?.get(option) ?? longForm(option)) : option;
  const origin = originOf(problemText ?? '', given);
  throw refusal(argument, `${problemText}${origin}`, allowedText ?? '');
}

/** Options of which only one may be given; each example has one of them. */
export function excludeEachOther(
  option: OptionName,
  other: OptionName,
  examples: readonly string[],
): Rule {
  return {
    option,
    unfit: ({ names }) => names.has(other),
    problem: `cannot be combined with ${longForm(other)}`,
    allowed: 'use only one of them',
    examples,
  };
}
