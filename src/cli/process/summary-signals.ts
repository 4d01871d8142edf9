/** Signals that ask for the summary so far, as for dd(1) and ping(8). Windows never sends them. */
export const SUMMARY_SIGNALS = ['SIGUSR1', 'SIGQUIT'] as const;

/**
 * Calls back whenever a signal asks for the summary so far.
 *
 * @returns ends it; `start.ts` goes on ignoring the signals then
 */
export function onSummarySignal(callback: () => void): () => void {
  const answer = (signal: NodeJS.Signals): void => {
    // A terminal echoes `^\` without a new line.
    if (signal === 'SIGQUIT' && process.stderr.isTTY) process.stderr.write('\n');
    callback();
  };
  for (const name of SUMMARY_SIGNALS) process.on(name, answer);
  return () => {
    for (const name of SUMMARY_SIGNALS) process.off(name, answer);
  };
}
