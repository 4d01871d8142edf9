import { createReadStream, type ReadStream, statSync } from 'node:fs';
import { parseTargetLine, type TargetBlock, type TargetRequest } from '../core/target-list.js';
import { UsageError } from '../core/usage-error.js';

/** The targets of a command line. */
export function* requestsOfBlock({ targets }: TargetBlock): Generator<TargetRequest, void, undefined> {
  for (const target of targets()) yield { target };
}

/** Who looks at targets before anything is sent, and throws a UsageError for what cannot be asked of them. */
export interface Lookout {
  check(port: number, request: TargetRequest): void;
  /** Is called behind the last one. */
  finish(): void;
}

/** The longest line that is read whole: a host name has at most 253 characters, a list of ports may be long. */
const MAX_LINE = 65_536;

/** Lines as they arrive; nothing is kept of those that have been told. */
async function* readLines(input: NodeJS.ReadStream | ReadStream): AsyncGenerator<string, void, undefined> {
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

/** The targets of a file, line by line; `-` is standard input. Each is checked before it is told. */
async function* readRequests(path: string, lookout: Lookout | null, signal: AbortSignal | undefined): AsyncGenerator<TargetRequest, void, undefined> {
  const name = path === '-' ? 'standard input' : path;
  const input = path === '-' ? process.stdin : createReadStream(path);
  signal?.addEventListener('abort', () => input.destroy(), { once: true }); // a pipe that stays open would keep us until it ends
  let number = 0;
  try {
    for await (const line of readLines(input)) {
      number += 1;
      const origin = [name, number].join(':'); // flat, where a template would make a tree of strings: it is kept for every verdict that waits
      if (line.length > MAX_LINE) throw new UsageError(`${origin}: the line is too long; allowed: at most ${MAX_LINE} characters`);
      const block = parseTargetLine(line, origin);
      if (!block) continue;
      for (const target of block.targets()) {
        const request = { target, expect: block.expect, origin };
        lookout?.check(target.port, request);
        yield request;
      }
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === undefined || error instanceof UsageError ? error : new UsageError(`--targets: ${name} cannot be read (${code})`);
  } finally {
    input.destroy();
  }
}

function isRegularFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false; // reading it says why
  }
}

/**
 * The targets of a file or of standard input (`-`), as they are read. A regular file is looked through first, so that a mistake in it is found before
 * anything is sent; what comes through a pipe is probed as it arrives, and a mistake ends the run there.
 *
 * @param lookout checks each target, too
 * @throws UsageError naming the file and line
 */
export async function* requestsOfFile(path: string, lookout: Lookout | null = null, signal?: AbortSignal): AsyncGenerator<TargetRequest, void, undefined> {
  const isFile = path !== '-' && isRegularFile(path);
  if (isFile) {
    for await (const request of readRequests(path, lookout, signal)) void request;
    lookout?.finish();
  }
  let any = false;
  for await (const request of readRequests(path, lookout, signal)) {
    any = true;
    yield request;
  }
  if (!any) throw new UsageError(`--targets: ${path === '-' ? 'standard input' : path} has no target; allowed: one a line`);
}
