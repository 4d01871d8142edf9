let answer: (signal: NodeJS.Signals) => void = () => {};

// At once: without listeners SIGUSR1 opens Node's debugger, and SIGQUIT ends the process.
for (const name of ['SIGUSR1', 'SIGQUIT'] as const) process.on(name, (signal) => answer(signal));

/** Sets what to do when SIGUSR1 or SIGQUIT asks for the state. Windows never sends them. */
export function onStateSignal(callback: (signal: NodeJS.Signals) => void): void {
  answer = callback;
}
