import { longFormOf, type OptionDefinition } from '../options/common-options.js';
import { OPTION_NAMES, OPTIONS } from '../options/option-table.js';
import { FORM_HABITS } from './form-habits.js';
import type { Meaning, OptionHabit } from './meaning.js';
import { nearWord } from './near-words.js';
import { OPTION_HABITS } from './option-habits.js';

/** What was foreign in a command line: the first thing of all. */
export interface Remark {
  readonly argument: string;
  readonly problem: string;
  /** Whether the next reading is to be named too. */
  readonly isAmbiguous: boolean;
}

/** A command line of another tool, as far as it is read. */
export interface Reading {
  readonly options: readonly (readonly string[])[];
  readonly hosts: readonly string[];
  /** The words that are not options, in the forms of portping. */
  readonly words: readonly string[];
  readonly ports: readonly string[];
  readonly defaultPort: string;
  /** Null for none. */
  readonly command: readonly string[] | null;
  readonly runsCommand: boolean;
  /** Whether words after `--` are targets: they may be a command, and are not corrected. */
  readonly hasEnd: boolean;
  readonly remark: Remark | null;
}

const START: Reading = {
  options: [],
  hosts: [],
  words: [],
  ports: [],
  defaultPort: '443',
  command: null,
  runsCommand: false,
  hasEnd: false,
  remark: null,
};

/** A reading of the next words, and the words that are left. */
type Step = readonly [meaning: Meaning, rest: readonly string[], remark: Remark | null];

/** portping's own options by each of their forms. */
const OWN: ReadonlyMap<string, OptionDefinition> = new Map(
  OPTION_NAMES.map((name): OptionDefinition => OPTIONS[name]).flatMap((definition) =>
    (definition.flags.match(/(?<!\S)--?[\w-]+/g) ?? []).map((form) => [form, definition] as const),
  ),
);

const remarkOn = (argument: string, problem: string, isAmbiguous = false): Remark => ({
  argument,
  problem,
  isAmbiguous,
});

/** The first remark counts, and whether any of them is ambiguous. */
const joinRemarks = (first: Remark | null, next: Remark | null): Remark | null =>
  first && next?.isAmbiguous ? { ...first, isAmbiguous: true } : (first ?? next);

function extend(reading: Reading, meaning: Meaning, remark: Remark | null): Reading {
  const { options = [], host, port, words = [], runsCommand } = meaning;
  return {
    options: [...reading.options, ...options],
    hosts: host === undefined ? reading.hosts : [...reading.hosts, host],
    ports: port === undefined ? reading.ports : [...reading.ports, port],
    words: [...reading.words, ...words],
    defaultPort: meaning.defaultPort ?? reading.defaultPort,
    command: reading.command,
    hasEnd: reading.hasEnd,
    runsCommand: reading.runsCommand || runsCommand === true,
    remark: joinRemarks(reading.remark, remark),
  };
}

/** A word taken apart: its option, a value in the same word, and what follows in the same word. */
interface Typed {
  readonly name: string;
  readonly joined: string | undefined;
  /** For `-zv`: `-v` is left. */
  readonly left: readonly string[];
}

function* partsOf(word: string): Generator<Typed> {
  yield { name: word, joined: undefined, left: [] };
  const [, name, value] = /^(--?[a-z][\w-]*)[=:](.*)$/is.exec(word) ?? [];
  if (name !== undefined) yield { name, joined: value, left: [] };
  const [, first, more = ''] = /^(-[a-z\d])([^=].*)$/is.exec(word) ?? [];
  if (first === undefined) return;
  yield { name: first, joined: more, left: [] };
  yield { name: first, joined: undefined, left: [`-${more}`] };
}

/** PowerShell's options are written in any case. */
const hasForm = ({ forms }: OptionHabit, name: string): boolean =>
  forms.includes(name) ||
  (/^-[a-z]{2}/i.test(name) &&
    forms.some((form) => /^-[A-Z][a-z]/.test(form) && form.toLowerCase() === name.toLowerCase()));

function* foreignSteps(
  { name, joined, left }: Typed,
  next: readonly string[],
  isFit: (habit: OptionHabit) => boolean,
): Generator<Step> {
  for (const habit of OPTION_HABITS) {
    if (!hasForm(habit, name) || !isFit(habit)) continue;
    const { value, means, problem, isAmbiguous } = habit;
    const remark = remarkOn(name, problem, isAmbiguous);
    const [following, ...rest] = next;
    if (value === null) {
      if (joined === undefined) yield [means('', name), [...left, ...next], remark];
    } else if (joined !== undefined) {
      if (value.test(joined)) yield [means(joined, name), next, remark];
    } else if (left.length === 0 && following !== undefined && value.test(following)) {
      yield [means(following, name), rest, remark];
    }
  }
}

/** The value of one of portping's own options, and what was probably meant if it is wrong. */
function* valueSteps(
  name: string,
  value: string,
  rest: readonly string[],
  definition: OptionDefinition,
): Generator<Step> {
  const { choices, form } = definition;
  const long = longFormOf(definition);
  const isWrong = choices !== undefined && !choices.includes(value);
  const near = isWrong ? nearWord(value, choices) : undefined;
  if (near !== undefined) {
    // An optional value is joined, because the next word can be the target.
    const option = form ? [`${name}=${near}`] : [name, near];
    yield [{ options: [option] }, rest, remarkOn(long, `"${value}" is not allowed`)];
  }
  if (!isWrong) yield [{ options: [[name, value]] }, rest, null];
}

/** The next word is the value, unless it may be left out and has not its form. */
function* nextSteps(
  name: string,
  next: readonly string[],
  definition: OptionDefinition,
): Generator<Step> {
  const { form, choices } = definition;
  const [following, ...rest] = next;
  const isValue = following !== undefined && (form?.test(following) ?? true);
  if (following !== undefined && (isValue || choices))
    for (const step of valueSteps(name, following, rest, definition))
      if (isValue || step[2] !== null) yield step;
  if (form && !isValue) yield [{ options: [[name]] }, next, null];
}

function* ownSteps({ name, joined, left }: Typed, next: readonly string[]): Generator<Step> {
  const definition = OWN.get(name);
  if (definition === undefined) return;
  if (definition.parse === undefined) {
    if (joined === undefined) yield [{ options: [[name]] }, [...left, ...next], null];
  } else if (joined !== undefined) yield* valueSteps(name, joined, next, definition);
  else if (left.length === 0) yield* nextSteps(name, next, definition);
}

/** An option with one dash that has two here: `-timeout 5s`. */
function* singleDashSteps({ name, joined, left }: Typed, next: readonly string[]): Generator<Step> {
  if (!/^-[a-z][a-z-]+$/i.test(name)) return;
  for (const [meaning, rest, remark] of ownSteps(
    { name: `-${name.toLowerCase()}`, joined, left },
    next,
  ))
    yield [meaning, rest, remark ?? remarkOn(name, 'a long option has two dashes')];
}

function* optionSteps(line: string, word: string, next: readonly string[]): Generator<Step> {
  const parts = [...partsOf(word)];
  for (const typed of parts)
    yield* foreignSteps(typed, next, ({ beside }) => beside?.test(line) === true);
  for (const typed of parts) yield* ownSteps(typed, next);
  for (const typed of parts) yield* foreignSteps(typed, next, ({ beside }) => beside === undefined);
  for (const typed of parts) yield* singleDashSteps(typed, next);
}

function* wordSteps(word: string, next: readonly string[]): Generator<Step> {
  yield [{ words: [word] }, next, null];
  const isFollowed = next[0] !== undefined && !next[0].startsWith('-');
  for (const { form, argument, means, problem, isAmbiguous, isLast } of FORM_HABITS) {
    const match = isLast && isFollowed ? null : form.exec(word);
    if (match) yield [means(match), next, remarkOn(argument, `"${word}" ${problem}`, isAmbiguous)];
  }
}

/** What comes after `--`: a command after a wait, else targets. */
function* endings(reading: Reading, after: readonly string[]): Generator<Reading> {
  const waits = reading.options.some(([name]) => name === '--wait');
  if (waits) yield { ...reading, command: after };
  else {
    yield { ...reading, words: [...reading.words, ...after], hasEnd: true };
    const remark = remarkOn('--', 'a command runs only after a wait');
    if (after.length > 0)
      yield { ...extend(reading, { options: [['--wait']] }, remark), command: after };
  }
}

/** The command line as it was typed, and how many more steps may be tried on it. */
interface Search {
  readonly line: string;
  stepsLeft: number;
}

/** Most command lines take fewer than 50; `-sssss~` would never end. */
const MOST_STEPS = 3000;

function* readOn(search: Search, words: readonly string[], reading: Reading): Generator<Reading> {
  const [word, ...next] = words;
  if (word === undefined) {
    if (!reading.runsCommand) yield reading;
    else yield { ...reading, words: [], command: reading.words };
    return;
  }
  if (word === '--') {
    yield* endings(reading, next);
    return;
  }
  // The words of a command keep their options.
  if (reading.runsCommand && !word.startsWith('-')) {
    yield { ...reading, words: [], command: [...reading.words, word, ...next] };
    return;
  }
  const steps =
    word.startsWith('-') && word !== '-'
      ? optionSteps(search.line, word, next)
      : wordSteps(word, next);
  for (const [meaning, rest, remark] of steps) {
    search.stepsLeft -= 1;
    if (search.stepsLeft < 0) return;
    yield* readOn(search, rest, extend(reading, meaning, remark));
  }
}

/** All ways to read a command line, the most probable first. */
export function readings(argv: readonly string[], remark: Remark | null): Generator<Reading> {
  const search = { line: ` ${argv.join(' ')} `, stepsLeft: MOST_STEPS };
  return readOn(search, argv, { ...START, remark });
}
