import { escapeControls } from '../../report/escape.js';
import type { Output } from '../../report/reporter.js';

/** Writes to the two standard streams. */
export function write({ stdout, stderr }: Output): void {
  if (stdout !== '') process.stdout.write(stdout);
  if (stderr !== '') process.stderr.write(stderr);
}

/** Waits until both streams have taken what was written, or nobody takes it any more; undefined when there is nothing to wait for. */
function whenTaken(signal: AbortSignal): Promise<unknown> | undefined {
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
  /** The promise, where there is one, tells that there is room for more: a reader that is slow is waited for. */
  write(output: Output): Promise<unknown> | undefined;
  /**
   * Ends it when the run has ended in order; a file that is incomplete, because of an interruption, does not take the place of an old one.
   *
   * @returns whether the results are where they were to be
   */
  finish(interrupted: boolean): boolean;
  /** Ends it whatever happened. */
  close(): void;
}

/**
 * Results on standard output, or in a file that is put in place when the run has ended in order.
 *
 * @param signal ends waiting for a slow reader
 * @throws UsageError when the file cannot be written
 */
export async function openSink(path: string | null, signal: AbortSignal): Promise<Sink> {
  if (path === null) {
    return {
      write(output) {
        write(output);
        return whenTaken(signal);
      },
      finish: () => true,
      close: () => {},
    };
  }
  const { OutputFile } = await import('./output-file.js');
  const file = new OutputFile(path);
  return {
    write({ stdout, stderr }) {
      file.write(stdout);
      write({ stdout: '', stderr });
      return undefined;
    },
    finish(interrupted) {
      if (interrupted)
        write({ stdout: '', stderr: `${escapeControls(path)} was left as it was.\n` });
      else file.commit();
      return !interrupted;
    },
    close: () => file.discard(),
  };
}
