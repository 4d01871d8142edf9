import { constants, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { isatty, ReadStream } from 'node:tty';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import {
  parseTargetLine,
  type TargetBlock,
  type TargetRequest,
} from '../../core/target/target-list.js';
import { isOfKind, isPipe } from '../../core/system-file.js';
import { UsageError } from '../../core/usage-error.js';
import { describeSystemError } from '../../core/system-error.js';
import { INPUT_ADVICE } from './common-options.js';

/** Checks targets before any probe; throws a UsageError for what cannot be asked of them. */
export interface TargetCheck {
  check(port: number, request: Pick<TargetRequest, 'expect' | 'origin'>): void;
  /** To be called after the last target. */
  finish(): void;
}

/** The longest line: a host name has at most 253 characters, but a list of ports may be long. */
const MAX_LINE = 65_536;

/** Time between two reads of a named pipe that has no writer, in milliseconds. */
const POLL_MS = 50;

/**
 * Waits for the first bytes in a named pipe. Linux makes readers wait for a writer; other systems
 * may report the end of a pipe that has no writer yet.
 */
async function waitForWriter(descriptor: number, signal: AbortSignal | undefined): Promise<Buffer> {
  const first = Buffer.alloc(4096);
  let length = 0;
  try {
    while (length === 0 && !signal?.aborted) {
      length = readSync(descriptor, first);
      if (length === 0) await sleep(POLL_MS);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error; // has a writer
  }
  return first.subarray(0, length);
}

/**
 * Opens a named pipe (or `/dev/stdin`, `/dev/fd/63`) as a socket, whose reads can be cancelled. A
 * read of a file cannot, and would keep the process until somebody writes.
 */
async function openPipe(path: string, signal: AbortSignal | undefined): Promise<Readable> {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const isGiven = /^\/(dev|proc)\//.test(path); // it was opened before us
  const first =
    isGiven || process.platform === 'linux' ? null : await waitForWriter(descriptor, signal);
  const pipe = new Socket({ fd: descriptor, readable: true, writable: false });
  if (first && first.length > 0) pipe.unshift(first);
  return pipe;
}

/** Opens a terminal by its name, for the same reason. */
function openTerminal(path: string): Readable {
  const descriptor = openSync(path, 'r');
  return isatty(descriptor) ? new ReadStream(descriptor) : createReadStream('', { fd: descriptor });
}

function openInput(path: string, signal: AbortSignal | undefined): Readable | Promise<Readable> {
  if (path === '-') {
    // Node would give an empty stream.
    if (fstatSync(0).isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    return process.stdin;
  }
  if (isPipe(path)) return openPipe(path, signal);
  return isOfKind(path, (stats) => stats.isCharacterDevice())
    ? openTerminal(path)
    : createReadStream(path);
}

/** Yields lines as they arrive. */
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

function describeReadError(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'does not exist';
  return code === 'EISDIR' ? 'is a directory' : `cannot be read (${describeSystemError(error)})`;
}

/** Reads a file line by line; `-` is standard input. */
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
    // A pipe that stays open would keep the process until it ends.
    signal?.addEventListener('abort', () => opened.destroy(), { once: true });
    if (signal?.aborted) return;
    for await (const line of readLines(opened)) {
      number += 1;
      // join() makes a flat string; a template makes a tree, and each waiting verdict keeps it.
      const origin = [name, number].join(':');
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
      : new UsageError(`--targets: ${name} ${describeReadError(error)}; ${INPUT_ADVICE}`);
  } finally {
    input?.destroy();
  }
}

function checkPorts({ block, expect, origin }: Entry, check: TargetCheck): void {
  for (const port of block.ports()) check.check(port, { expect, origin });
}

/**
 * The targets of a file or of standard input (`-`). A regular file is validated first, before any
 * probe. A pipe is probed as its lines arrive; a mistake ends the run there.
 *
 * @param check also checks the ports of each line
 * @throws UsageError that names the file and line
 */
export async function* requestsOfFile(
  path: string,
  check: TargetCheck | null = null,
  signal?: AbortSignal,
): AsyncGenerator<TargetRequest, void, undefined> {
  const isFile = path !== '-' && isOfKind(path, (stats) => stats.isFile());
  if (isFile) {
    for await (const entry of readEntries(path, signal)) if (check) checkPorts(entry, check);
    check?.finish();
  }
  let any = false;
  for await (const entry of readEntries(path, signal)) {
    any = true;
    if (check && !isFile) checkPorts(entry, check);
    const { block, expect, origin } = entry;
    for (const target of block.targets()) yield { target, expect, origin };
  }
  if (!any && !signal?.aborted)
    throw new UsageError(
      `--targets: ${path === '-' ? 'standard input' : path} has no target; allowed: one a line`,
    );
}
