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

/** A spinner that shows after half a second. ora is loaded only then. */
export function spinWhenSlow(firstText: string): Spinner {
  if (!canSpin()) return NO_SPINNER;
  let text = firstText;
  let over = false;
  let spinner: Ora | undefined;
  const fitting = (): string => text.slice(0, Math.max(process.stderr.columns - 4, 0));
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
