import { escapeControls } from '../report/escape.js';
import type { Output } from '../report/reporter.js';

/** Writes to the two standard streams. */
export function write({ stdout, stderr }: Output): void {
  if (stdout !== '') process.stdout.write(stdout);
  if (stderr !== '') process.stderr.write(stderr);
}

/** Waits until standard output has taken what was written, or nobody takes it any more; undefined when there is nothing to wait for. */
function whenTaken(signal: AbortSignal): Promise<void> | undefined {
  const { stdout } = process;
  if (!stdout.writableNeedDrain || signal.aborted) return undefined;
  return new Promise((resolve) => {
    const go = (): void => {
      stdout.off('drain', go).off('close', go);
      signal.removeEventListener('abort', go);
      resolve();
    };
    stdout.on('drain', go).on('close', go);
    signal.addEventListener('abort', go);
  });
}

/** Where results go. */
export interface Sink {
  /** The promise, where there is one, tells that there is room for more: a reader that is slow is waited for. */
  write(output: Output): Promise<void> | undefined;
  /** Ends it when the run has ended in order; a file that is incomplete, because of an interruption, does not take the place of an old one. */
  finish(interrupted: boolean): void;
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
      finish: () => {},
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
      if (interrupted) write({ stdout: '', stderr: `${escapeControls(path)} was left as it was.\n` });
      else file.commit();
    },
    close: () => file.discard(),
  };
}
