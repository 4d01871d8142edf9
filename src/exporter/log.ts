import { escapeJson } from '../report/escape.js';

/** What a line of the log is about. */
export type LogEvent = 'listening' | 'probe' | 'refused' | 'error' | 'stopping' | 'stopped';

/** Writes one line. */
export type Log = (event: LogEvent, facts: Readonly<Record<string, unknown>>) => void;

const LEVELS: Readonly<Record<LogEvent, string>> = { listening: 'info', probe: 'info', refused: 'warning', error: 'error', stopping: 'info', stopped: 'info' };

/**
 * A log of one JSON object a line: when, how serious, what, and its facts.
 *
 * @param write takes each line, its end included
 */
export function jsonLog(write: (line: string) => void): Log {
  return (event, facts) => write(`${escapeJson(JSON.stringify({ time: new Date().toISOString(), level: LEVELS[event], event, ...facts }))}\n`);
}
