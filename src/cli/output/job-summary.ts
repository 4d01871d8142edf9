import { appendFileSync } from 'node:fs';
import { describeSystemError } from '../../core/system-error.js';
import { escapeControls } from '../../report/escape.js';

/**
 * Appends Markdown to the summary of a job, if GitHub Actions names its file. A summary that cannot
 * be written is reported, but does not change the exit code.
 */
export function appendJobSummary(
  markdown: string,
  path = process.env['GITHUB_STEP_SUMMARY'],
): void {
  if (!path) return;
  try {
    appendFileSync(path, markdown);
  } catch (error) {
    const reason = describeSystemError(error);
    process.stderr.write(
      `portping: GITHUB_STEP_SUMMARY: ${escapeControls(path)} cannot be written (${reason})\n`,
    );
  }
}
