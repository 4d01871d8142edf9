import { type Command, Option } from 'commander';
import { parseTargets } from '../../core/target/target-list.js';
import { UsageError } from '../../core/usage-error.js';

/** How psql, redis-cli, mysql and check_tcp name host and port. Hidden, and always refused. */
const FOREIGN_OPTIONS = {
  host: ['-H, --host [host]', '--hostname [host]'],
  port: ['-p, --port [port]', '-P, --ports [port]'],
};

const attributesOf = (kind: keyof typeof FOREIGN_OPTIONS): string[] =>
  FOREIGN_OPTIONS[kind].map((flags) => new Option(flags).attributeName());

/** What `-h`, `--help`, `--version` and the options of other programs were given. */
export interface HelpWords {
  /** Of `-h` and `--help`, in the order of the command line; undefined for one without a value. */
  readonly help: (string | undefined)[];
}

/**
 * Adds `--help` and `--version`. Commander's own exit with 0 whatever stands beside them:
 * `-h db -p 5432`, as psql has it, would pass for an open port.
 */
export function addHelpOptions(program: Command): HelpWords {
  const words: HelpWords = { help: [] };
  program
    .option('--version', 'the version')
    .option('-h, --help [host]', 'this help')
    .helpOption(false)
    .configureHelp({ optionTerm: ({ long, flags }) => (long === '--help' ? '-h, --help' : flags) })
    .on('option:help', (value: string | null) => words.help.push(value ?? undefined));
  for (const flags of Object.values(FOREIGN_OPTIONS).flat()) {
    program.addOption(new Option(flags).hideHelp());
  }
  return words;
}

/** The option as it was typed: its long or its short form. */
function typedForm(name: string, program: Command, argv: readonly string[]): string {
  const { long, short } = program.options.find((option) => option.attributeName() === name) ?? {};
  const isLong = argv.some((word) => word === long || word.startsWith(`${long}=`));
  return (isLong ? long : (short ?? long)) ?? name;
}

/** A command line that is accepted, with the host and port that were meant if they are clear. */
function adviceFor(
  hosts: readonly string[],
  words: readonly string[],
  ports: readonly string[],
): string {
  for (const missingPort of [[], ['443']]) {
    for (const hostWords of [
      [...hosts, ...words],
      [...words, ...hosts],
    ]) {
      const target = [...hostWords, ...ports, ...missingPort];
      try {
        parseTargets(target);
        return `portping ${target.join(' ')}`;
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
      }
    }
  }
  return 'portping db 5432';
}

/**
 * Whether the help or the version is asked for: alone, or beside the format, which may change the
 * exit code.
 *
 * @param argv the command line, also what stands behind `--`
 * @throws UsageError when something else stands beside it, or for the option of another program
 */
export function readHelpOptions(
  program: Command,
  { help }: HelpWords,
  argv: readonly string[],
): 'help' | 'version' | null {
  const names = program.options.map((option) => option.attributeName());
  const given = names.filter((name) => program.getOptionValueSource(name) === 'cli');
  const valuesOf = (names: readonly string[]): string[] =>
    names
      .map((name): unknown => program.getOptionValue(name))
      .filter((value) => typeof value === 'string');
  const hosts = [...help.filter((value) => value !== undefined), ...valuesOf(attributesOf('host'))];
  const ports = valuesOf(attributesOf('port'));
  const targetWords = [...hosts, ...program.args, ...ports];
  const advice = (): string => adviceFor(hosts, program.args, ports);

  const asked = given.includes('help') ? 'help' : given.includes('version') ? 'version' : null;
  if (asked !== null) {
    const isBare = targetWords.length === 0 && help.length < 2 && !argv.includes('--');
    const isAlone = isBare && given.every((name) => name === asked || name === 'output');
    if (isAlone) return asked;
    const form = typedForm(asked, program, argv);
    const instead = `${targetWords.length > 0 ? `${advice()}, or ` : ''}portping ${form}`;
    throw new UsageError(`${form}: shows the ${asked} and must stand alone; write: ${instead}`);
  }
  for (const kind of ['host', 'port'] as const) {
    const foreign = attributesOf(kind).find((name) => given.includes(name));
    if (foreign === undefined) continue;
    const form = typedForm(foreign, program, argv);
    throw new UsageError(`${form}: there is no option for the ${kind}; write: ${advice()}`);
  }
  return null;
}
