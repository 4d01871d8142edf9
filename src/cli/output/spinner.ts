import type { Ora } from 'ora';

/** How long something may take before the spinner shows, in milliseconds. */
const PATIENCE_MS = 500;

/** A spinner on stderr, shown only on a terminal and only after a while. */
export interface Spinner {
  /** What is being waited for. Must be safe for a terminal. */
  say(text: string): void;
  /** Writes something else to the terminal, with the spinner's line out of the way. */
  aside(write: () => void): void;
  /** Ends the spinner and clears its line. */
  stop(): void;
}

/** The spinner where there is no terminal. */
export const NO_SPINNER: Spinner = { say: () => {}, aside: (write) => write(), stop: () => {} };

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

/** A spinner that shows after half a second. ora is loaded only then. */
export function spinWhenSlow(firstText: string): Spinner {
  if (!canSpin()) return NO_SPINNER;
  let text = firstText;
  let over = false;
  let spinner: Ora | undefined;
  const fitting = (): string => fitColumns(text, process.stderr.columns - FRAME_COLUMNS);
  const timer = setTimeout(() => {
    import('ora').then(
      ({ default: ora }) => {
        if (!over)
          spinner = ora({ text: fitting(), stream: process.stderr, discardStdin: false }).start();
      },
      () => {}, // no file descriptor is left: a run can do without a spinner
    );
  }, PATIENCE_MS);
  return {
    say(next) {
      text = next;
      if (spinner) spinner.text = fitting();
    },
    aside(write) {
      spinner?.clear(); // it draws itself again with its next frame
      write();
    },
    stop() {
      over = true;
      clearTimeout(timer);
      spinner?.stop();
    },
  };
}
