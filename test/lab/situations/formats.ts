import type { BatchFormat, Batch } from './run.js';
import { nameOf } from './situation.js';

/** What a format says about one target. Undefined: the format does not say it. */
export interface Row {
  passed: boolean;
  state?: string | undefined;
  /** Empty if there is none. */
  reason?: string | undefined;
  /** The number between the angle brackets. */
  code?: string | undefined;
  exitCode?: number | undefined;
  /** Empty if the format leaves it out, as it does for a literal address. */
  address?: string | undefined;
  explanation?: string | undefined;
}

/** A format's text about many targets, by `host:port`. */
type Parse = (text: string) => Map<string, Row>;

/** Times differ from run to run. */
export const withoutTimes = (text: string): string => text.replace(/\b[\d.,]+ m?s\b/g, 'TIME');

const parseJson: Parse = (text) => {
  const objects = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, any>);
  return new Map(
    objects
      .filter(({ type }) => type === 'probe')
      .map(({ target, state, reason, error, exitCode, address, asExpected, explanation }) => [
        nameOf(target.host, target.port),
        {
          state,
          reason: reason ?? '',
          code: error === null ? '' : String(error.winsock ?? Math.abs(error.errno)),
          exitCode,
          address: address ?? '',
          passed: asExpected,
          explanation: explanation ?? '',
        },
      ]),
  );
};

/** The rows of CSV (RFC 4180). */
function readCsv(text: string): Record<string, string>[] {
  const lines = [...text.matchAll(/((?:"(?:[^"]|"")*"|[^"\r\n])*)\r\n/g)].map(([, line = '']) =>
    [...line.matchAll(/(?:^|,)("(?:[^"]|"")*"|[^,]*)/g)].map(([, cell = '']) =>
      cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell,
    ),
  );
  const [names = [], ...rows] = lines;
  return rows.map((cells) => Object.fromEntries(names.map((name, at) => [name, cells[at] ?? ''])));
}

const parseCsv: Parse = (text) =>
  new Map(
    readCsv(text).map((row) => [
      nameOf(row['host'] ?? '', row['port'] ?? ''),
      {
        state: row['state'],
        reason: row['reason'],
        exitCode: Number(row['exit_code']),
        address: row['address'],
        passed: row['as_expected'] === 'true',
        explanation: row['explanation'],
      },
    ]),
  );

const fromXml = (text: string): string =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');

/** `filtered (no-response) (192.0.2.10)`; an open case has its latency instead of a reason. */
function readSeen(seen: string): Pick<Row, 'state' | 'reason' | 'address'> {
  const match = /^(\S+) \(([a-z-]+)\)(?: \((.+)\))?$/.exec(seen);
  return match ? { state: match[1], reason: match[2], address: match[3] ?? '' } : {};
}

const parseJunit: Parse = (text) =>
  new Map(
    [
      ...text.matchAll(
        /<testcase classname="[^"]*" name="([^"]*) is open" time="[^"]*"(?:\/>|>\s*<(?:failure|error) type="[^"]*" message="([^"]*)">([^<]*)<)/g,
      ),
    ].map(([, name = '', seen, message = '']) => [
      fromXml(name),
      seen === undefined
        ? { passed: true, state: 'open' }
        : { ...readSeen(fromXml(seen)), passed: false, explanation: fromXml(message) },
    ]),
  );

const parseTap: Parse = (text) =>
  new Map(
    [
      ...text.matchAll(
        /^(not )?ok \d+ - (.*) is open\n(?: {2}---\n {2}seen: (.*)\n {2}message: (.*)\n {2}seconds: .*\n {2}exitCode: (\d+)\n {2}\.\.\.\n)?/gm,
      ),
    ].map(([, failed, name = '', seen = '""', message = '""', exitCode = '0']) => [
      name.replace(/\\([\\#])/g, '$1'),
      failed === undefined
        ? { passed: true, state: 'open' }
        : {
            ...readSeen(JSON.parse(seen) as string),
            passed: false,
            explanation: JSON.parse(message) as string,
            exitCode: Number(exitCode),
          },
    ]),
  );

const parseNagios: Parse = (text) =>
  new Map(
    [
      ...text.matchAll(
        /^(OK|WARNING|CRITICAL|UNKNOWN): (\S+)(?: \((\S+)\))? (open in|(\w+), .*? <(\w+)>)/gm,
      ),
    ].map(([, state, name = '', address = '', sight, kind, code]) => [
      name,
      {
        passed: state === 'OK',
        state: sight === 'open in' ? 'open' : kind,
        code: code ?? '',
        address,
      },
    ]),
  );

const parsePrometheus: Parse = (text) => {
  const success = new Map(
    [...text.matchAll(/^portping_success\{target="([^"]*)"\} (\d)/gm)].map(([, name, value]) => [
      name,
      value === '1',
    ]),
  );
  return new Map(
    [
      ...text.matchAll(/^portping_cause\{target="([^"]*)",state="([^"]*)",cause="([^"]*)"\} 1/gm),
    ].map(([, name = '', state, cause]) => [
      name,
      { state, reason: cause === state ? '' : cause, passed: success.get(name) === true },
    ]),
  );
};

const PARSE: Readonly<Record<BatchFormat, Parse>> = {
  json: parseJson,
  csv: parseCsv,
  junit: parseJunit,
  tap: parseTap,
  nagios: parseNagios,
  prometheus: parsePrometheus,
};

const parsed = new WeakMap<Batch, Record<BatchFormat, Map<string, Row>>>();

/** What every format says about all targets of a batch. */
export function readBatch(batch: Batch): Readonly<Record<BatchFormat, Map<string, Row>>> {
  const known = parsed.get(batch);
  if (known) return known;
  const read = Object.fromEntries(
    Object.entries(PARSE).map(([format, parse]) => [
      format,
      parse(batch.results[format as BatchFormat].stdout),
    ]),
  ) as Record<BatchFormat, Map<string, Row>>;
  parsed.set(batch, read);
  return read;
}

/** How many targets a format reports, and how many of them as not expected. */
interface Counts {
  targets: number;
  unexpected: number;
}

const numbersIn = (text: string, pattern: RegExp): number[] =>
  (pattern.exec(text) ?? []).slice(1).map(Number);

/** The totals that a format states. CSV and Prometheus state none: their rows are counted. */
const STATED: Readonly<Partial<Record<BatchFormat, (text: string) => Counts>>> = {
  json: (text) => {
    const totals = JSON.parse(text.trim().split('\n').at(-1) ?? '') as Record<string, number>;
    return { targets: totals['probes'] ?? NaN, unexpected: totals['unexpected'] ?? NaN };
  },
  junit: (text) => {
    const [tests = NaN, failures = NaN, errors = NaN] = numbersIn(
      text,
      /tests="(\d+)" failures="(\d+)" errors="(\d+)"/,
    );
    return { targets: tests, unexpected: failures + errors };
  },
  tap: (text) => {
    const [targets = NaN] = numbersIn(text, /^1\.\.(\d+)$/m);
    return { targets, unexpected: text.match(/^not ok /gm)?.length ?? 0 };
  },
  nagios: (text) => {
    const [unexpected = NaN, targets = NaN] = numbersIn(text, /: (\d+) of (\d+) not OK/);
    return { targets, unexpected };
  },
};

/** What each format counts, in the order of the formats. */
export function countsOf(batch: Batch): [format: string, counts: Counts][] {
  return Object.entries(readBatch(batch)).map(([format, rows]) => {
    const counted = {
      targets: rows.size,
      unexpected: [...rows.values()].filter(({ passed }) => !passed).length,
    };
    const name = format as BatchFormat;
    return [format, STATED[name]?.(batch.results[name].stdout) ?? counted];
  });
}
