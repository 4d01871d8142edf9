import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ExecResult, type Lab, writeResolverFiles } from '../../support/lab.js';
import { portpingCommand } from '../../support/portping.js';
import { type Placed, targetName } from './situation.js';

/** The formats in which many targets are reported by one run. Text has a run for each target. */
export const BATCH_FORMATS = ['json', 'csv', 'junit', 'tap', 'nagios', 'prometheus'] as const;
export type BatchFormat = (typeof BATCH_FORMATS)[number];

/** Runs for the same targets, one in each format. */
export interface Batch {
  targets: readonly Placed[];
  results: Readonly<Record<BatchFormat, ExecResult>>;
}

/** All that portping said about one situation. */
export interface Said {
  plain?: ExecResult;
  verbose?: ExecResult;
  diagnosis?: { json: ExecResult; text: ExecResult };
  batch?: Batch;
}

/** How portping is run for all situations of a world. */
export interface Runner {
  lab: Lab;
  /** Options of every command. */
  options: readonly string[];
  /** How many commands run at once. Most of them only wait. */
  atOnce: number;
}

type Task = () => Promise<void>;
type Exec = (args: readonly string[], input?: string) => Promise<ExecResult>;

/** Runs tasks in their order, at most some at once. */
async function runAll(tasks: readonly Task[], atOnce: number): Promise<void> {
  const queue = [...tasks];
  const work = async (): Promise<void> => {
    for (let task = queue.shift(); task; task = queue.shift()) await task();
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

/** Words before a command that give it the resolver's files of a folder. It runs in a namespace. */
const withResolverFiles = (folder: string): string[] => [
  'sh',
  '-c',
  'for f in resolv.conf hosts nsswitch.conf; do mount --bind "$0/$f" "/etc/$f" || exit 99; done; ' +
    'exec "$@"',
  folder,
];

const modesOf = ({ situation }: Placed) => situation.modes ?? ['plain', 'diagnose'];

/** The commands for one situation. */
function tasksOf(placed: Placed, its: Said, exec: Exec): Task[] {
  const { situation, host, port } = placed;
  const target = [...(situation.options ?? []), host, String(port)];
  const modes = modesOf(placed);
  const tasks: Task[] = [];
  if (modes.includes('diagnose'))
    tasks.push(async () => {
      const json = await exec(['--diagnose', '-o', 'json', ...target]);
      its.diagnosis = { json, text: await exec(['--diagnose', ...target]) };
    });
  if (modes.includes('plain'))
    tasks.push(async () => {
      its.plain = await exec(target);
    });
  if (modes.includes('verbose'))
    tasks.push(async () => {
      its.verbose = await exec(['-v', ...target]);
    });
  return tasks;
}

/** One run in each format for all situations that need nothing of their own. */
function batchTasks(said: ReadonlyMap<Placed, Said>, exec: Exec): Task[] {
  const targets = [...said.keys()].filter(
    (each) =>
      !each.situation.options &&
      !each.situation.resolver &&
      !each.situation.wrapper &&
      modesOf(each).includes('plain'),
  );
  if (targets.length === 0) return [];
  const list = targets.map(({ host, port }) => `${host} ${port}\n`).join('');
  const words = targets.map(targetName);
  const results: Partial<Record<BatchFormat, ExecResult>> = {};
  const batch: Batch = { targets, results: results as Batch['results'] };
  for (const each of targets) Object.assign(said.get(each) ?? {}, { batch });
  return BATCH_FORMATS.map((format) => async () => {
    // Nagios takes no list from a pipe; JSON has the targets as words to try that way, too.
    const isList = format !== 'nagios' && format !== 'json';
    results[format] = isList
      ? await exec(['-o', format, '--targets', '-'], list)
      : await exec(['-o', format, ...words]);
  });
}

/** Asks portping about every situation, in every mode and format. */
export async function askAll(
  { lab, options, atOnce }: Runner,
  placed: readonly Placed[],
): Promise<Map<Placed, Said>> {
  const folder = await mkdtemp(join(tmpdir(), 'portping-situations-'));
  const said = new Map<Placed, Said>(placed.map((each) => [each, {}]));
  const execWith =
    (wrapper: readonly string[]): Exec =>
    (args, input = '') =>
      lab.exec('client', [...wrapper, ...portpingCommand, ...options, ...args], {
        input,
        timeoutMs: 60_000,
      });
  try {
    const tasks: Task[] = [];
    for (const [index, [each, its]] of [...said].entries()) {
      const { resolver, wrapper = [] } = each.situation;
      const own = join(folder, String(index));
      if (resolver) {
        await mkdir(own);
        await writeResolverFiles(own, resolver);
      }
      const exec = execWith([...(resolver ? withResolverFiles(own) : []), ...wrapper]);
      tasks.push(...tasksOf(each, its, exec));
    }
    await runAll([...batchTasks(said, execWith([])), ...tasks], atOnce);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return said;
}
