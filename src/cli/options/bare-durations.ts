import { type CommandLine, longForm, OPTIONS } from './option-table.js';

/** A number of seconds that was probably meant as milliseconds, and so needs a remark. */
const LONG_SECONDS = 100;

function describeMilliseconds(milliseconds: number): string {
  if (milliseconds === 500) return 'half a second';
  const seconds = milliseconds / 1000;
  return `${seconds} second${seconds === 1 ? '' : 's'}`;
}

/** A line for each duration of 100 or more without a unit: other tools read milliseconds. */
export function describeBareNumbers({ texts, variables }: CommandLine): string {
  const lines = [...texts].map(([name, text]) => {
    const isDuration = typeof text === 'string' && OPTIONS[name].flags.includes('duration');
    const number = isDuration ? Number(text) : NaN;
    if (!(number >= LONG_SECONDS)) return '';
    const option = variables?.get(name) ?? longForm(name);
    const meant = describeMilliseconds(number);
    return `portping: ${option}: ${text} is ${text} seconds; ${text}ms is ${meant}\n`;
  });
  return lines.join('');
}
