import { constants, createReadStream, openSync, readSync, type Stats, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import {
  parseTargetLine,
  type TargetBlock,
  type TargetRequest,
} from '../../core/target/target-list.js';
import { UsageError } from '../../core/usage-error.js';

/** The targets of a command line. */
export function* requestsOfBlock({
  targets,
}: TargetBlock): Generator<TargetRequest, void, undefined> {
  for (const target of targets()) yield { target };
}

/** Who looks at targets before anything is sent, and throws a UsageError for what cannot be asked of them. */
export interface Lookout {
  check(port: number, request: Pick<TargetRequest, 'expect' | 'origin'>): void;
  /** Is called behind the last one. */
  finish(): void;
}

/** The longest line that is read whole: a host name has at most 253 characters, a list of ports may be long. */
const MAX_LINE = 65_536;

/** How often a named pipe is looked at until somebody writes into it, milliseconds. */
const LOOK_MS = 50;

/**
 * Waits until somebody has written into a named pipe, and gives what that was. Linux keeps readers waiting by itself until a writer has come and gone;
 * others may tell them the end of a pipe that nobody has opened yet.
 */
async function waitForWriter(descriptor: number, signal: AbortSignal | undefined): Promise<Buffer> {
  const first = Buffer.alloc(4096);
  let length = 0;
  try {
    while (length === 0 && !signal?.aborted) {
      length = readSync(descriptor, first);
      if (length === 0) await sleep(LOOK_MS);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error; // somebody has opened it, and has not written yet
  }
  return first.subarray(0, length);
}

/**
 * A named pipe (or a pipe by its name, `/dev/stdin`, `/dev/fd/63`) as a stream that can be left at any time: a read of a file cannot be, and would keep
 * the process until somebody writes.
 */
async function openPipe(path: string, signal: AbortSignal | undefined): Promise<Readable> {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const isGiven = /^\/(dev|proc)\//.test(path); // it was opened before us
  const first =
    isGiven || process.platform === 'linux' ? null : await waitForWriter(descriptor, signal);
  const { Socket } = await import('node:net');
  const pipe = new Socket({ fd: descriptor, readable: true, writable: false });
  if (first && first.length > 0) pipe.unshift(first);
  return pipe;
}

/** A terminal by its name, for the same reason. */
async function openTerminal(path: string): Promise<Readable> {
  const { isatty, ReadStream } = await import('node:tty');
  const descriptor = openSync(path, 'r');
  return isatty(descriptor) ? new ReadStream(descriptor) : createReadStream('', { fd: descriptor });
}

function openInput(path: string, signal: AbortSignal | undefined): Readable | Promise<Readable> {
  if (path === '-') return process.stdin;
  if (isPipe(path)) return openPipe(path, signal);
  return is(path, (stats) => stats.isCharacterDevice())
    ? openTerminal(path)
    : createReadStream(path);
}

/** Lines as they arrive; nothing is kept of those that have been told. */
async function* readLines(input: Readable): AsyncGenerator<string, void, undefined> {
  input.setEncoding('utf8');
  let rest = '';
  for await (const chunk of input) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
    if (rest.length > MAX_LINE) break; // no end in sight
  }
  if (rest !== '') yield rest;
}

/** A line of a file that has targets. */
interface Entry {
  readonly block: TargetBlock;
  readonly expect: TargetRequest['expect'];
  readonly origin: string;
}

/** What stands in a file, line by line; `-` is standard input. */
async function* readEntries(
  path: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Entry, void, undefined> {
  const name = path === '-' ? 'standard input' : path;
  let input: Readable | undefined;
  let number = 0;
  try {
    const opened = await openInput(path, signal);
    input = opened;
    signal?.addEventListener('abort', () => opened.destroy(), { once: true }); // a pipe that stays open would keep us until it ends
    if (signal?.aborted) return;
    for await (const line of readLines(opened)) {
      number += 1;
      const origin = [name, number].join(':'); // flat, where a template would make a tree of strings: it is kept for every verdict that waits
      if (line.length > MAX_LINE)
        throw new UsageError(
          `${origin}: the line is too long; allowed: at most ${MAX_LINE} characters`,
        );
      const block = parseTargetLine(line, origin);
      if (block) yield { block, expect: block.expect, origin };
    }
  } catch (error) {
    if (signal?.aborted) return;
    const { code } = error as NodeJS.ErrnoException;
    throw code === undefined || error instanceof UsageError
      ? error
      : new UsageError(`--targets: ${name} cannot be read (${code})`);
  } finally {
    input?.destroy();
  }
}

function lookAt({ block, expect, origin }: Entry, lookout: Lookout): void {
  for (const port of block.ports()) lookout.check(port, { expect, origin });
}

function is(path: string, kind: (stats: Stats) => boolean): boolean {
  try {
    return kind(statSync(path));
  } catch {
    return false; // reading it says why
  }
}

/** Whether a path is a pipe: what stands in it comes when it comes, and once. */
export const isPipe = (path: string): boolean => is(path, (stats) => stats.isFIFO());

/**
 * The targets of a file or of standard input (`-`), as they are read. A regular file is looked through first, so that a mistake in it is found before
 * anything is sent; what comes through a pipe is probed as it arrives, and a mistake ends the run there.
 *
 * @param lookout checks the ports of each line, too
 * @throws UsageError naming the file and line
 */
export async function* requestsOfFile(
  path: string,
  lookout: Lookout | null = null,
  signal?: AbortSignal,
): AsyncGenerator<TargetRequest, void, undefined> {
  const isFile = path !== '-' && is(path, (stats) => stats.isFile());
  if (isFile) {
    for await (const entry of readEntries(path, signal)) if (lookout) lookAt(entry, lookout);
    lookout?.finish();
  }
  let any = false;
  for await (const entry of readEntries(path, signal)) {
    any = true;
    if (lookout && !isFile) lookAt(entry, lookout);
    const { block, expect, origin } = entry;
    for (const target of block.targets()) yield { target, expect, origin };
  }
  if (!any && !signal?.aborted)
    throw new UsageError(
      `--targets: ${path === '-' ? 'standard input' : path} has no target; allowed: one a line`,
    );
}
