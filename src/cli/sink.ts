import { escapeControls } from '../report/escape.js';
import type { Output } from '../report/reporter.js';

/** Writes to the two standard streams. */
export function write({ stdout, stderr }: Output): void {
  if (stdout !== '') process.stdout.write(stdout);
  if (stderr !== '') process.stderr.write(stderr);
}

/** Where results go. */
export interface Sink {
  write(output: Output): void;
  /** Ends it when the run has ended in order; a file that is incomplete, because of an interruption, does not take the place of an old one. */
  finish(interrupted: boolean): void;
  /** Ends it whatever happened. */
  close(): void;
}

/**
 * Results on standard output, or in a file that is put in place when the run has ended in order.
 *
 * @throws UsageError when the file cannot be written
 */
export async function openSink(path: string | null): Promise<Sink> {
  if (path === null) return { write, finish: () => {}, close: () => {} };
  const { OutputFile } = await import('./output-file.js');
  const file = new OutputFile(path);
  return {
    write({ stdout, stderr }) {
      file.write(stdout);
      write({ stdout: '', stderr });
    },
    finish(interrupted) {
      if (interrupted) write({ stdout: '', stderr: `${escapeControls(path)} was left as it was.\n` });
      else file.commit();
    },
    close: () => file.discard(),
  };
}
