import { UsageError } from '../../core/usage-error.js';
import { BUILT_IN_NAMES } from '../../core/target/port-names.js';
import { chooseConfig } from '../options/config.js';
import { refusal } from '../options/rule.js';
import { readCommandLine } from '../parsing/command-line.js';
import { nearWord } from './near-words.js';
import { type Reading, readings, type Remark } from './readings.js';
import { commandText } from './shell-words.js';

/** The most that is read and tried: advice must come at once. A host has at most 253 characters. */
const MOST_WORDS = 40;
const MOST_CHARACTERS = 300;
const MOST_TRIED = 100;

/** In the problem of an option that asks for the help or the version. */
const STAND_ALONE = 'must stand alone';

/** Dashes, quotes and spaces that word processors and web pages write. */
const TYPOGRAPHY = /[‐-―−﹘﹣－“”„‘’«»\u00a0]/;

/** A word as it is typed in a terminal: `—help` is `--help`, `/?` is `-?`. */
function typeWord(word: string): string[] {
  const slash = /^\/([a-z?])$/i.exec(word);
  if (slash) return [`-${slash[1]}`];
  if (!TYPOGRAPHY.test(word)) return [word];
  const plain = word.replace(/[“”„‘’«»]/g, '');
  return plain.split('\u00a0').map((part) => {
    const [, name = ''] = /^[‐-―−﹘﹣－-]+(.*)$/s.exec(part) ?? [];
    if (name !== '') return `${/^[a-z]($|\d)/i.test(name) ? '-' : '--'}${name}`;
    return part.replace(/[‐-―−﹘﹣－]/g, '-');
  });
}

/** Whether portping itself accepts a command line. */
async function isAccepted(argv: readonly string[]): Promise<boolean> {
  try {
    const line = await readCommandLine(argv);
    await chooseConfig(line);
    return true;
  } catch (error) {
    if (error instanceof UsageError) return false;
    throw error;
  }
}

/** Options once each, the one with a value if there is one; the last counts. */
function mergeOptions(options: Reading['options']): string[] {
  const byName = new Map<string, readonly string[]>();
  for (const option of options) {
    const [name = ''] = option;
    const key = name.replace(/=.*$/s, '');
    if (option.length > 1 || name.includes('=') || !byName.has(key)) byName.set(key, option);
  }
  return [...byName.values()].flat();
}

/** Ports with a typing mistake in a name corrected: `smpt`. */
const correctPorts = (words: readonly string[]): string[] =>
  words.map((word, index) => {
    const [, before = '', name = word] = /^(.*:)([a-z][\w-]*)$/i.exec(word) ?? [];
    if ((index === 0 && before === '') || !/^[a-z][\w-]*$/i.test(name)) return word;
    return `${before}${nearWord(name, BUILT_IN_NAMES) ?? name}`;
  });

/** The ways in which hosts, words and ports can be a target, the most probable first. */
function targetsOf({ hosts, words, ports, defaultPort }: Reading): string[][] {
  const list = ports.join(',');
  const orders = [
    [...hosts, ...words, ...ports],
    [...words, ...hosts, ...ports],
  ];
  const candidates = [
    ...orders,
    ...(ports.length > 0 ? [[...hosts, ...words].map((host) => `${host}:${list}`)] : []),
    ...orders.map((order) => [...order, defaultPort]),
  ];
  const [first = '', second] = words;
  if (hosts.length === 0 && ports.length === 0 && /^\d{1,5}$/.test(first)) {
    if (words.length === 1) candidates.push(['localhost', first]);
    if (words.length === 2 && second !== undefined) candidates.push([second, first]);
  }
  if (hosts.length === 0 && words.length === 0) {
    if (ports.length > 0) candidates.push(['db', ...ports]);
    candidates.push(['db', '5432']);
  }
  return candidates;
}

/** What stands in the place of a reading without anything foreign. */
function describePlain({ words }: Reading, target: readonly string[]): Remark | null {
  const [first = ''] = words;
  const corrected = target.find((word, index) => word !== words[index]);
  if (corrected === undefined || target.length < words.length) return null;
  if (/^\d+$/.test(first))
    return { argument: 'host', problem: `"${first}" is a port`, isAmbiguous: false };
  const wrong = words[target.indexOf(corrected)];
  if (wrong === undefined) return null;
  return { argument: 'port', problem: `"${wrong}" is not a known service`, isAmbiguous: false };
}

/** A reading that portping accepts, as a command line. */
interface Accepted {
  readonly remark: Remark;
  readonly text: string;
}

async function acceptReading(
  reading: Reading,
  platform: NodeJS.Platform,
  tried: Map<string, boolean>,
): Promise<Accepted | null> {
  const options = mergeOptions(reading.options);
  const isEmpty = [reading.hosts, reading.words, reading.ports].every(({ length }) => length === 0);
  if (isEmpty && reading.remark?.problem.includes(STAND_ALONE)) return null;
  const end = reading.command === null ? [] : ['--', ...reading.command];
  const targets = targetsOf(reading);
  const corrected = reading.hasEnd ? [] : targets.slice(0, 1).map(correctPorts);
  for (const target of [...targets.slice(0, 1), ...corrected, ...targets.slice(1)]) {
    const remark = reading.remark ?? describePlain(reading, target);
    const words = [...options, ...target, ...end];
    const text = commandText(words, platform);
    if (remark === null || text === null) continue;
    if (tried.get(text)) return null; // an earlier reading meant the same
    if (!tried.has(text)) tried.set(text, await isAccepted(words));
    if (tried.get(text)) return { remark, text };
  }
  return null;
}

/** The first readings that are accepted: one, or two if the first may be mistaken. */
async function findAccepted(
  argv: readonly string[],
  platform: NodeJS.Platform,
): Promise<readonly Accepted[]> {
  const typed = argv.flatMap(typeWord);
  const changed = argv.find((word) => typeWord(word)[0] !== word);
  const remark =
    changed === undefined
      ? null
      : {
          argument: 'arguments',
          problem: `"${changed}" has a character of a word processor`,
          isAmbiguous: false,
        };
  const found: Accepted[] = [];
  const tried = new Map<string, boolean>();
  for (const reading of readings(typed, remark)) {
    if (tried.size > MOST_TRIED) break;
    const accepted = await acceptReading(reading, platform, tried);
    if (accepted === null) continue;
    found.push(accepted);
    if (found.length === 2 || !accepted.remark.isAmbiguous) break;
  }
  return found;
}

/** The help or the version can be what was meant, too. */
const helpBeside = ({ argument, problem }: Remark): string[] =>
  problem.includes(STAND_ALONE) ? [`portping ${argument}`] : [];

/**
 * What to say about a command line that is refused: what is foreign in it, and the line to type
 * instead. That line is accepted by portping.
 *
 * @param error why it was refused; returned if nothing better can be said
 */
export async function adviseHabit(
  argv: readonly string[],
  error: UsageError,
  platform: NodeJS.Platform = process.platform,
): Promise<UsageError> {
  if (argv.length > MOST_WORDS || argv.some(({ length }) => length > MOST_CHARACTERS)) return error;
  const [first, second] = await findAccepted(argv, platform);
  if (first === undefined) return error;
  const { remark, text } = first;
  const others = [...(second ? [second.text] : []), ...helpBeside(remark)];
  return refusal(remark.argument, remark.problem, `write: ${[text, ...others].join(', or ')}`);
}
