import { escapeJson } from '../../report/escape.js';

/** The events that are logged. */
type LogEvent =
  | 'listening'
  | 'probe'
  | 'refused'
  | 'error'
  | 'state'
  | 'reloaded'
  | 'reload-failed'
  | 'stopping'
  | 'stopped'
  | 'log-lines-lost';

/** Writes one line. */
export type Log = (event: LogEvent, facts: Readonly<Record<string, unknown>>) => void;

const LEVELS: Readonly<Record<LogEvent, string>> = {
  listening: 'info',
  probe: 'info',
  refused: 'warning',
  error: 'error',
  state: 'info',
  reloaded: 'info',
  'reload-failed': 'error',
  stopping: 'info',
  stopped: 'info',
  'log-lines-lost': 'warning',
};

/** Lines are dropped while more bytes than this are buffered: the reader of the log has stalled. */
const MOST_BUFFERED_BYTES = 1024 * 1024;

/**
 * A log of one JSON object per line: time, level, event and its facts.
 *
 * After lines were dropped, `log-lines-lost` says how many. Logging resumes only when half of the
 * buffer is free; otherwise it would alternate between one line and one loss.
 *
 * @param write takes each line with its newline
 * @param bufferedBytes how many written bytes the reader has not read
 */
export function jsonLog(write: (line: string) => void, bufferedBytes: () => number): Log {
  const put: Log = (event, facts) => {
    const line = { time: new Date().toISOString(), level: LEVELS[event], event, ...facts };
    write(`${escapeJson(JSON.stringify(line))}\n`);
  };
  let lost = 0;
  return (event, facts) => {
    if (bufferedBytes() > (lost > 0 ? MOST_BUFFERED_BYTES / 2 : MOST_BUFFERED_BYTES)) {
      lost += 1;
      return;
    }
    if (lost > 0) put('log-lines-lost', { lines: lost });
    lost = 0;
    put(event, facts);
  };
}
