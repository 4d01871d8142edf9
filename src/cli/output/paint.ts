import type { Paint } from '../../report/reporter.js';

const PLAIN: Paint = { good: (text) => text, bad: (text) => text, dim: (text) => text };

/**
 * Whether there may be colours. `--no-color` wins, then FORCE_COLOR, then NO_COLOR
 * (https://no-color.org), then what the terminal can do.
 */
export function mayColor(color: boolean, env: NodeJS.ProcessEnv = process.env): boolean {
  if (!color || env['FORCE_COLOR'] !== undefined) return color;
  return !env['NO_COLOR'] && (process.stdout.isTTY || process.stderr.isTTY);
}

/** Colours for the two streams. A file has none. chalk is loaded only if there may be colours. */
export async function paints(
  color: boolean,
  toFile = false,
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ stdout: Paint; stderr: Paint }> {
  if (!mayColor(color, env)) return { stdout: PLAIN, stderr: PLAIN };
  const { default: chalk, chalkStderr } = await import('chalk');
  // chalk prints all its arguments, also those that map() adds.
  const [stdout, stderr] = [chalk, chalkStderr].map(({ green, red, dim }): Paint => ({
    good: (text) => green(text),
    bad: (text) => red(text),
    dim: (text) => dim(text),
  }));
  return { stdout: (toFile ? PLAIN : stdout) ?? PLAIN, stderr: stderr ?? PLAIN };
}
