import { escapeJson } from '../report/escape.js';

/** What a line of the log is about. */
type LogEvent =
  'listening' | 'probe' | 'refused' | 'error' | 'state' | 'stopping' | 'stopped' | 'log-lines-lost';

/** Writes one line. */
export type Log = (event: LogEvent, facts: Readonly<Record<string, unknown>>) => void;

const LEVELS: Readonly<Record<LogEvent, string>> = {
  listening: 'info',
  probe: 'info',
  refused: 'warning',
  error: 'error',
  state: 'info',
  stopping: 'info',
  stopped: 'info',
  'log-lines-lost': 'warning',
};

/** While more than so many bytes wait for a reader that has stalled, further lines are dropped: they would be kept in memory, all of them. */
const MOST_WAITING_BYTES = 1024 * 1024;

/**
 * A log of one JSON object a line: when, how serious, what, and its facts. How many lines were dropped is said before the first one for which
 * there is room again. That is when half of what waited was taken: else every other line would say so.
 *
 * @param write takes each line, its end included
 * @param waitingBytes how much of what was written nobody has taken yet
 */
export function jsonLog(write: (line: string) => void, waitingBytes: () => number = () => 0): Log {
  const put: Log = (event, facts) =>
    write(
      `${escapeJson(JSON.stringify({ time: new Date().toISOString(), level: LEVELS[event], event, ...facts }))}\n`,
    );
  let lost = 0;
  return (event, facts) => {
    if (waitingBytes() > (lost > 0 ? MOST_WAITING_BYTES / 2 : MOST_WAITING_BYTES)) {
      lost += 1;
      return;
    }
    if (lost > 0) put('log-lines-lost', { lines: lost });
    lost = 0;
    put(event, facts);
  };
}
