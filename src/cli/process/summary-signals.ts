/**
 * Signals that ask for the summary so far, as for dd(1) and ping(8). Windows sends only SIGBREAK:
 * Ctrl+Break asks its ping for statistics, too.
 */
const SUMMARY_SIGNALS = ['SIGUSR1', 'SIGQUIT', 'SIGBREAK'] as const;

/**
 * Ignores the signals until {@link onSummarySignal} answers them. By default, Node starts its
 * debugger for SIGUSR1, and the others end the command.
 */
export function ignoreSummarySignals(): void {
  for (const name of SUMMARY_SIGNALS) process.on(name, () => {});
}

/**
 * Calls back whenever a signal asks for the summary so far.
 *
 * @returns ends it; the signals are ignored again then
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
