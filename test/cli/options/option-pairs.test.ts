import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { adviseHabit } from '../../../src/cli/habits/advice.js';
import { readCommandLine } from '../../../src/cli/parsing/command-line.js';
import { chooseConfig } from '../../../src/cli/options/config.js';
import { createProgram } from '../../../src/cli/parsing/option-parser.js';
import { OPTION_RULES } from '../../../src/cli/options/option-rules.js';
import {
  longForm,
  OPTION_NAMES,
  OPTIONS,
  SAMPLE_VALUES,
} from '../../../src/cli/options/option-table.js';
import type { Rule } from '../../../src/cli/options/rule.js';
import { TARGET_RULES } from '../../../src/cli/options/target-rules.js';
import { SERVICE_NAMES } from '../../../src/core/service/registry.js';
import { EXPECTATIONS } from '../../../src/core/states.js';
import { UsageError } from '../../../src/core/usage-error.js';
import { FORMAT_NAMES } from '../../../src/report/formats/registry.js';
import { portping } from '../../support/portping.js';

beforeAll(() => void vi.stubGlobal('PORTPING_VERSION', '0.0.0'));
afterAll(() => void vi.unstubAllGlobals());

const program = createProgram(() => {});

/** Values by placeholder; of a list of choices, each. */
const valuesOf = (placeholder: string): readonly string[] => {
  const lists: Record<string, readonly string[]> = {
    format: FORMAT_NAMES,
    state: EXPECTATIONS,
    service: SERVICE_NAMES,
    port: ['5432'],
  };
  const values = lists[placeholder] ?? [SAMPLE_VALUES[placeholder]];
  return values.map((value) => {
    if (value === undefined) throw new Error(`SAMPLE_VALUES has no value for <${placeholder}>`);
    return value;
  });
};

/** An option with a value, as words of a command line. */
interface Sample {
  readonly option: string;
  readonly words: readonly string[];
}

const samples: readonly Sample[] = program.options.flatMap(({ long, short, flags, optional }) => {
  const option = long ?? short ?? flags;
  const [, placeholder] = /[<[](.+)[>\]]/.exec(flags) ?? [];
  const withValue = placeholder === undefined ? [] : valuesOf(placeholder);
  return [
    ...(placeholder === undefined || optional ? [{ option, words: [option] }] : []),
    ...withValue.map((value) => ({ option, words: [`${option}=${value}`] })),
  ];
});

const pairs = samples.flatMap((first, index) =>
  samples
    .slice(index + 1)
    .filter(({ option }) => option !== first.option)
    .map((second) => [first, second] as const),
);

/** Null when a command line is accepted, else the message that refuses it. */
async function refusalOf(argv: readonly string[]): Promise<string | null> {
  try {
    await chooseConfig(await readCommandLine(argv));
    return null;
  } catch (error) {
    if (error instanceof UsageError) return (await adviseHabit(argv, error)).message;
    throw error;
  }
}

const TARGETS = [[], ['db', '5432'], ['db', '5432,5433']] as const;

/** `<argument>: <what is wrong>; <what is allowed>` */
const ONE_FORM = /^(--?[\w-]*|arguments|host|port): [^;]+; [^;]+$/;

const ruleName = ({ option }: Rule): string =>
  option === '--' || option === 'arguments' ? option : longForm(option);

/** Whether a message comes from a rule; a test of its own checks what the rules recommend. */
const isFromRule = (message: string): boolean =>
  [...OPTION_RULES, ...TARGET_RULES].some(
    (rule) =>
      message.startsWith(`${ruleName(rule)}: `) &&
      (typeof rule.allowed === 'function' || message.endsWith(`; ${rule.allowed}`)),
  );

/** The command lines that a message spells out: `write: portping db 5432, or portping -h`. */
const commandsIn = (message: string): string[][] =>
  (/; write: (portping .*)$/.exec(message)?.[1]?.split(', or ') ?? []).map((command) =>
    command.split(' ').slice(1),
  );

interface Outcome {
  readonly argv: readonly string[];
  readonly options: readonly string[];
  /** Null when it is accepted. */
  readonly message: string | null;
}

describe('every pair of options', () => {
  const outcomes: Outcome[] = [];
  beforeAll(async () => {
    for (const [first, second] of pairs) {
      for (const targets of TARGETS) {
        const argv = [...first.words, ...second.words, ...targets];
        const message = await refusalOf(argv);
        if (targets.length === 0 && message?.startsWith('host: nothing given')) continue;
        outcomes.push({ argv, options: [first.option, second.option], message });
      }
    }
  }, 60_000);

  it('is accepted or refused in the one form, with advice that is accepted', async () => {
    const commands = new Map<string, string[]>();
    for (const { argv, message } of outcomes) {
      if (message === null) continue;
      expect(message, argv.join(' ')).toMatch(ONE_FORM);
      if (isFromRule(message)) continue;
      for (const command of commandsIn(message)) commands.set(command.join(' '), command);
    }
    expect(commands.size).toBeGreaterThan(3);
    for (const [text, command] of commands) expect(await refusalOf(command), text).toBeNull();
  });

  it('leaves every option another one that it goes with, except --completion', () => {
    const accepted = outcomes.filter(({ message }) => message === null);
    const useful = new Set(accepted.flatMap(({ options }) => options));
    const shown = OPTION_NAMES.map(longForm);
    expect(shown.filter((option) => !useful.has(option))).toEqual(['--completion']);
  });

  it('that is refused exits with 64, one line on stderr and nothing on stdout', async () => {
    // A check has its own exit codes.
    const refused = outcomes.filter(
      ({ argv, message }) => message !== null && !argv.some((word) => word.includes('nagios')),
    );
    const step = Math.ceil(refused.length / 30);
    for (const { argv, message } of refused.filter((_, index) => index % step === 0)) {
      const { stdout, stderr, exitCode } = await portping([...argv]);
      expect(stderr, argv.join(' ')).toBe(`portping: ${message} (see: portping -h)\n`);
      expect([stdout, exitCode], argv.join(' ')).toEqual(['', 64]);
    }
  }, 60_000);
});

describe('every rule', () => {
  const rules = [...OPTION_RULES, ...TARGET_RULES];

  it('recommends command lines that are accepted', async () => {
    for (const rule of rules) {
      expect(rule.examples.length, ruleName(rule)).toBeGreaterThan(0);
      for (const example of rule.examples)
        expect(await refusalOf(example.split(' ')), `${ruleName(rule)}: ${example}`).toBeNull();
    }
  });

  it('has an example for each option that it recommends', async () => {
    for (const rule of rules) {
      if (typeof rule.allowed === 'function') continue;
      const used = new Set<string>();
      for (const example of rule.examples) {
        const { texts } = await readCommandLine(example.split(' '));
        for (const name of texts.keys()) {
          for (const form of OPTIONS[name].flags.match(/--?[\w-]+/g) ?? []) used.add(form);
        }
      }
      const named = rule.allowed.match(/(?<![\w<-])--?[a-z\d][\w-]*/g) ?? [];
      for (const option of named)
        expect([...used], `${ruleName(rule)}: ${rule.allowed}`).toContain(option);
    }
  });
});

it('the option table has the names that commander gives to the options', () => {
  const named = OPTION_NAMES.filter((name) => !name.startsWith('ipv'));
  const known = program.options.map((option) => option.attributeName());
  expect(named.filter((name) => !known.includes(name))).toEqual([]);
});
