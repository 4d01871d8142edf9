import { EXIT_BUG, EXIT_USAGE, exitCodeOf } from '../../core/states.js';
import { UsageError } from '../../core/usage-error.js';
import { escapeControls } from '../../report/escape.js';
import { CHECK_STATES, checkLine, withoutPipes } from '../../report/formats/check-line.js';

/**
 * UNKNOWN of a check, also for `--help` and wrong usage (monitoring plugins guidelines, "Plugin
 * Return Codes"). Nagios takes 64 for a broken plugin.
 */
export const EXIT_UNKNOWN = CHECK_STATES.UNKNOWN;

/** Whether a part of the program could not be loaded, because no file descriptor is left. */
function isShortOfFiles(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? error.code : undefined;
  // Node 24 and 26 have no code for a package.json that they cannot open.
  return code === 'EMFILE' || code === 'ENFILE' || error.message.includes('too many open files');
}

/**
 * Writes an error in one line, as a check if it was asked for. Returns the exit code.
 *
 * @param wrap breaks a line that is too long for the terminal
 */
export function complain(
  error: unknown,
  isCheck: boolean,
  wrap = (line: string): string => line,
): number {
  const isUsage = error instanceof UsageError;
  const message = escapeControls(error instanceof Error ? error.message : String(error));
  if (isCheck) {
    const isKnown = isUsage || isShortOfFiles(error);
    const text = withoutPipes(`${isKnown ? '' : 'internal error: '}${message}`);
    process.stdout.write(`${checkLine('UNKNOWN', text)}\n`);
    return EXIT_UNKNOWN;
  }
  if (isUsage) {
    process.stderr.write(wrap(`portping: ${message} (see: portping -h)\n`));
    return EXIT_USAGE;
  }
  if (isShortOfFiles(error)) {
    process.stderr.write(`portping: ${message}; raise the limit of descriptors (ulimit -n)\n`);
    return exitCodeOf('failed');
  }
  process.stderr.write(
    `portping: internal error: ${message} (PORTPING_DEBUG=1 shows where; please report it)\n`,
  );
  if (process.env['PORTPING_DEBUG'] && error instanceof Error)
    process.stderr.write(`${escapeControls(error.stack ?? '').replaceAll('\\x0a', '\n')}\n`);
  return EXIT_BUG;
}

/** Handles errors of the standard streams. A reader that is gone (`| head -1`) is not an error. */
export function watchStandardStreams(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    process.stderr.write(`portping: standard output: ${escapeControls(error.message)}\n`);
    process.exit(EXIT_BUG);
  });
  process.stderr.on('error', () => {});
}
