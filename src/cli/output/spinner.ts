import type { Ora } from 'ora';
import { mayColor } from './paint.js';

/** How long something may take before the spinner shows, in milliseconds. */
const PATIENCE_MS = 500;

/** A spinner on stderr, shown only on a terminal and only after a while. */
export interface Spinner {
  /** Writes something else to the terminal, with the spinner's line out of the way. */
  aside(write: () => void): void;
  /** Ends the spinner and clears its line. */
  stop(): void;
}

/** How a spinner looks. */
export interface SpinnerOptions {
  /** False for `--no-color`; otherwise the environment and the terminal decide. */
  readonly color: boolean;
}

/** The spinner where there is no terminal. */
export const NO_SPINNER: Spinner = { aside: (write) => write(), stop: () => {} };

/** Whether a spinner can be shown. ora 9.4.1 redraws for ever on a terminal of 0 columns. */
export const canSpin = (): boolean => process.stderr.isTTY && process.stderr.columns > 0;

/** Columns that ora needs beside its text: the frame, a blank, and the cursor at the end. */
const FRAME_COLUMNS = 4;

/**
 * The beginning of a text that fits into the columns of a terminal. Every character that is not
 * ASCII counts as two: none is wider (UAX #11), and a table of widths takes 30 ms to load.
 */
export function fitColumns(text: string, columns: number): string {
  let fitting = '';
  let width = 0;
  for (const character of text) {
    width += character > '~' ? 2 : 1;
    if (width > columns) break;
    fitting += character;
  }
  return fitting;
}

/** Between two texts of a spinner that describes itself, in milliseconds. */
const REFRESH_MS = 200;

/**
 * A spinner that shows after half a second. ora is loaded only then.
 *
 * @param describe what is being waited for; it is asked again and again. Safe for a terminal
 */
export function spinWhenSlow(describe: () => string, { color }: SpinnerOptions): Spinner {
  if (!canSpin()) return NO_SPINNER;
  let over = false;
  let spinner: Ora | undefined;
  const fitting = (): string => fitColumns(describe(), process.stderr.columns - FRAME_COLUMNS);
  const refreshing = setInterval(() => {
    if (spinner) spinner.text = fitting();
  }, REFRESH_MS);
  const timer = setTimeout(() => {
    import('ora').then(
      ({ default: ora }) => {
        if (over) return;
        const options = { text: fitting(), stream: process.stderr, discardStdin: false };
        spinner = ora(mayColor(color) ? options : { ...options, color: false }).start();
      },
      () => {}, // no file descriptor is left: a run can do without a spinner
    );
  }, PATIENCE_MS);
  return {
    aside(write) {
      spinner?.clear(); // it draws itself again with its next frame
      write();
    },
    stop() {
      over = true;
      clearTimeout(timer);
      clearInterval(refreshing);
      spinner?.stop();
    },
  };
}
