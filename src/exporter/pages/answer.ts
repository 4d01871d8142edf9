import { escapeControls } from '../../report/escape.js';

/** An answer to one HTTP request. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** The headers of plain text. */
export const PLAIN_TEXT = { 'Content-Type': 'text/plain; charset=utf-8' } as const;

/** One line of plain text, its control characters escaped. */
export const toLine = (text: string): string => `${escapeControls(text)}\n`;
