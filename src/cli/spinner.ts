/** How long a probe may take before the spinner shows, in milliseconds. */
const PATIENCE_MS = 500;

/**
 * A spinner on stderr for a probe that takes longer than half a second; nothing where stderr is no terminal.
 * ora is loaded only then, and never for a terminal that reports no columns: it would redraw for ever (ora 9.4.1).
 *
 * @param text what is being waited for; must be safe for a terminal
 * @returns ends the spinner and clears its line
 */
export function spinWhenSlow(text: string): () => void {
  const { stderr } = process;
  if (!stderr.isTTY || !(stderr.columns > 0)) return () => {};
  const fitting = text.slice(0, Math.max(stderr.columns - 4, 0));
  let stop: (() => void) | undefined;
  let over = false;
  const timer = setTimeout(() => {
    void import('ora').then(({ default: ora }) => {
      if (over) return;
      const spinner = ora({ text: fitting, stream: stderr, discardStdin: false }).start();
      stop = () => spinner.stop();
    });
  }, PATIENCE_MS);
  return () => {
    over = true;
    clearTimeout(timer);
    stop?.();
  };
}
