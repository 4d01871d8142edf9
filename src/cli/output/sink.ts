import { escapeControls } from '../../report/escape.js';
import type { Output } from '../../report/reporter.js';
import { wrapperFor } from './terminal.js';

/** Writes to the two standard streams. */
export function write({ stdout, stderr }: Output): void {
  if (stdout !== '') process.stdout.write(stdout);
  if (stderr !== '') process.stderr.write(stderr);
}

/** A write costs as much as a probe: a file or a pipe gets what one turn prints at once. */
const BATCH_LENGTH = 65_536;

/** Standard output, written once a turn of the event loop. What goes to stderr keeps its place. */
class BatchedOutput {
  #pending = '';

  write({ stdout, stderr }: Output): void {
    if (this.#pending === '' && stdout !== '') setImmediate(() => this.flush());
    this.#pending += stdout;
    if (stderr !== '' || this.#pending.length >= BATCH_LENGTH) this.flush();
    write({ stdout: '', stderr });
  }

  flush(): void {
    const stdout = this.#pending;
    this.#pending = '';
    write({ stdout, stderr: '' });
  }
}

/** Waits until both streams are drained or closed; undefined if there is nothing to wait for. */
function whenDrained(signal: AbortSignal): Promise<unknown> | undefined {
  const full = [process.stdout, process.stderr].filter(
    ({ writableNeedDrain }) => writableNeedDrain,
  );
  if (full.length === 0 || signal.aborted) return undefined;
  return Promise.all(
    full.map(
      (stream) =>
        new Promise<void>((resolve) => {
          const go = (): void => {
            stream.off('drain', go).off('close', go);
            signal.removeEventListener('abort', go);
            resolve();
          };
          stream.on('drain', go).on('close', go);
          signal.addEventListener('abort', go);
        }),
    ),
  );
}

/** Where results go. */
export interface Sink {
  readonly write: (output: Output) => void;
  /** Waits for a slow reader; undefined if there is room for more. */
  readonly whenDrained: () => Promise<unknown> | undefined;
  /**
   * Puts a file in place, unless the run was interrupted: then the old file stays.
   *
   * @returns whether the results are where they should be
   */
  readonly finish: (interrupted: boolean) => boolean;
  /** Closes it; a file that was not finished is removed. */
  readonly close: () => void;
}

/**
 * Opens standard output or a file, which is put in place when the run is complete.
 *
 * @param signal ends waiting for a slow reader
 * @throws UsageError when the file cannot be written
 */
export async function openSink(path: string | null, signal: AbortSignal): Promise<Sink> {
  const wrap = await wrapperFor(process.stderr);
  const wrapped = ({ stdout, stderr }: Output): Output => ({ stdout, stderr: wrap(stderr) });
  if (path === null) {
    // On a terminal a spinner makes way for each line.
    const batch = process.stdout.isTTY ? null : new BatchedOutput();
    return {
      write: (output) => (batch ? batch.write(wrapped(output)) : write(wrapped(output))),
      whenDrained: () => whenDrained(signal),
      finish: () => true,
      close: () => batch?.flush(),
    };
  }
  const { OutputFile } = await import('./output-file.js');
  const file = new OutputFile(path);
  return {
    write({ stdout, stderr }) {
      file.write(stdout);
      write({ stdout: '', stderr: wrap(stderr) });
    },
    whenDrained: () => undefined,
    finish(interrupted) {
      if (interrupted)
        write({ stdout: '', stderr: `${escapeControls(path)} was left as it was.\n` });
      else file.commit();
      return !interrupted;
    },
    close: () => file.discard(),
  };
}
