let answer: (signal: NodeJS.Signals) => void = () => {};

// When this file is loaded, before all others: else Node would start its debugger for SIGUSR1, and SIGQUIT would end the exporter.
for (const name of ['SIGUSR1', 'SIGQUIT'] as const) process.on(name, (signal) => answer(signal));

/** Calls back whenever a signal asks for the state. On Windows these signals are never sent. */
export function onStateSignal(callback: (signal: NodeJS.Signals) => void): void {
  answer = callback;
}
