import type { ExecResult } from '../../support/lab.js';
import { type Cause, causesIn, factsIn } from './claims.js';
import { countsOf, readBatch, type Row, withoutTimes } from './formats.js';
import { BATCH_FORMATS, type Batch, type Said } from './run.js';
import { type Causes, type Placed, targetName, type Truth } from './situation.js';

const EXIT_CODES: Readonly<Record<string, number>> = {
  open: 0,
  closed: 1,
  filtered: 2,
  unresolved: 3,
  failed: 4,
};

/** A conclusion in words: of a diagnosis, or of the explanation of a probe. */
interface Conclusion {
  /** What it is called in a message of the oracle. */
  name: string;
  certainty: string;
  /** What it states. */
  statement: string;
  /** The statement and the advice: where two causes look alike, either may name the other. */
  text: string;
}

const oneOf = (allowed: Truth['reason']): readonly string[] =>
  [allowed].flat().map((each) => each ?? '');

const differs = (what: string, said: unknown, truth: unknown): string[] =>
  said === truth ? [] : [`${what} is ${String(said)}, but it should be ${String(truth)}`];

/** What is wrong with the deciding address. */
function judgeAddress(
  said: string | undefined,
  addresses: Placed['addresses'],
  { decides, address }: Truth,
): string[] {
  const expected = address ?? (decides === undefined ? undefined : addresses[decides]);
  return expected === undefined ? [] : differs('the address', said, expected);
}

/** What is wrong with causes and facts: false ones, and those that are missing. */
function judgeConclusions(
  conclusions: readonly Conclusion[],
  { made, alike = [], besides = [] }: Causes,
  facts: Truth['facts'] = [],
): string[] {
  const named = conclusions.flatMap(({ text }) => causesIn(text));
  const missing = [...new Set([...made, ...alike])].filter((cause) => !named.includes(cause));
  return [
    ...missing.map((cause) => `does not name the cause ${cause}`),
    ...conclusions.flatMap(({ name, certainty, statement, text }) => {
      const causes: Cause[] = causesIn(statement).length > 0 ? causesIn(text) : [];
      const isFalse =
        causes.length > 0 &&
        !causes.some((cause) => made.includes(cause) || besides.includes(cause));
      const falseFacts = factsIn(text).filter((fact) => !facts.includes(fact));
      return [
        ...(isFalse ? [`${name} (${certainty}) is false: it names only ${causes.join(', ')}`] : []),
        ...falseFacts.map((fact) => `${name} (${certainty}) states ${fact}, which is false`),
      ].map((problem) => `${problem}: "${statement}"`);
    }),
  ];
}

/** Texts for people are in both streams. */
const textOf = ({ stdout, stderr }: ExecResult): string => `${stdout}${stderr}`;

function judgeText(result: ExecResult, { situation, addresses, host }: Placed): string[] {
  const { truth } = situation;
  const all = textOf(result);
  const explanation: Conclusion = {
    name: 'the explanation',
    certainty: 'as a fact',
    statement: result.stderr,
    text: result.stderr,
  };
  const unnamed = addresses.filter(
    (each, index) =>
      each !== host && truth.state !== 'open' && index !== truth.decides && !all.includes(each),
  );
  return [
    ...differs('the exit code', result.exitCode, truth.exitCode ?? EXIT_CODES[truth.state]),
    ...(truth.shows === undefined || all.includes(truth.shows)
      ? []
      : [`"${truth.shows}" is not shown`]),
    ...differs('the first sentence', result.stdout.startsWith('Success!'), truth.state === 'open'),
    ...unnamed.map((address) => `the failure of ${address} is not shown`),
    ...judgeConclusions([explanation], truth, truth.facts),
  ];
}

function judgeDiagnosis(
  { json, text }: NonNullable<Said['diagnosis']>,
  { situation: { truth }, addresses }: Placed,
): string[] {
  const object = JSON.parse(json.stdout) as Record<string, any>;
  const findings = object['findings'] as Record<string, string>[];
  const conclusions = findings.map(
    ({ kind = '', certainty = '', statement = '', advice = '' }): Conclusion => ({
      name: kind,
      certainty,
      statement,
      text: `${statement} ${advice}`,
    }),
  );
  const outcomeAddress = object['observations'].outcome.endpoint?.address as string | undefined;
  const { statement, certainty } = object['verdict'] as Record<string, string>;
  const shown = withoutTimes(text.stdout);
  return [
    ...differs('the state', object['state'], truth.state),
    ...differs('the exit code of JSON', json.exitCode, EXIT_CODES[truth.state]),
    ...differs('the exit code of text', text.exitCode, json.exitCode),
    ...differs('the exit code in JSON', object['exitCode'], json.exitCode),
    ...(oneOf(truth.reason).includes(object['reason'] ?? '')
      ? []
      : [
          `the reason is ${object['reason']}, but it should be ${oneOf(truth.reason).join(' or ')}`,
        ]),
    ...judgeAddress(outcomeAddress, addresses, truth),
    ...(truth.varies || shown.includes(withoutTimes(`${statement}\n`))
      ? []
      : ['text has another verdict than JSON']),
    ...(truth.varies || shown.includes(`How sure: ${certainty}.`)
      ? []
      : ['text has another certainty than JSON']),
    ...judgeConclusions(
      conclusions.filter(({ certainty: sure }) => sure !== 'possible'),
      truth.diagnosed ?? truth,
      truth.facts,
    ),
  ];
}

/** An explanation without what a busy machine changes: each format is a run of its own. */
const steadyPart = (explanation: string): string =>
  withoutTimes(explanation)
    .replace(' Resolving the name took TIME of the TIME timeout.', '')
    .replace(' its answer takes longer than TIME,', '');

/** What a format says differently from JSON, which says everything. */
function compareRow(format: string, row: Row | undefined, json: Row, host: string): string[] {
  if (!row) return [`${format} does not have the target`];
  const address = json.address === host ? ['', host] : [json.address];
  return [
    ...differs(`passed in ${format}`, row.passed, json.passed),
    ...(['state', 'reason', 'code', 'exitCode'] as const).flatMap((field) =>
      row[field] === undefined ? [] : differs(`${field} in ${format}`, row[field], json[field]),
    ),
    ...(row.address === undefined || address.includes(row.address)
      ? []
      : [`the address in ${format} is ${row.address}, but in JSON ${json.address}`]),
    ...(row.explanation === undefined
      ? []
      : differs(
          `the explanation in ${format}`,
          steadyPart(row.explanation),
          steadyPart(json.explanation ?? ''),
        )),
  ];
}

function judgeBatch(batch: Batch, placed: Placed): string[] {
  const { host, situation, addresses } = placed;
  const { truth } = situation;
  const rows = readBatch(batch);
  const name = targetName(placed);
  const json = rows.json.get(name);
  if (!json) return ['JSON does not have the target'];
  return [
    ...differs('the state in JSON', json.state, truth.state),
    ...differs('the exit code in JSON', json.exitCode, EXIT_CODES[truth.state]),
    ...(oneOf(truth.reason).includes(json.reason ?? '')
      ? []
      : [
          `the reason in JSON is ${json.reason}, but should be ${oneOf(truth.reason).join(' or ')}`,
        ]),
    ...judgeAddress(json.address, addresses, truth),
    ...(truth.varies ? [] : BATCH_FORMATS)
      .filter((format) => format !== 'json')
      .flatMap((format) => compareRow(format, rows[format].get(name), json, host)),
  ];
}

/** All that is wrong with what was said about a situation. */
export function judge(placed: Placed, said: Said): string[] {
  const { plain, verbose, diagnosis, batch } = said;
  const prefix = (mode: string, problems: readonly string[]): string[] =>
    problems.map((problem) => `${mode}: ${problem}`);
  return [
    ...(plain ? prefix('plain', judgeText(plain, placed)) : []),
    ...(verbose ? prefix('-v', judgeText(verbose, placed)) : []),
    ...(diagnosis ? prefix('--diagnose', judgeDiagnosis(diagnosis, placed)) : []),
    ...(batch ? prefix('formats', judgeBatch(batch, placed)) : []),
  ];
}

/** Nagios' exit codes: CRITICAL, or UNKNOWN where nothing worse than a fault of this machine is. */
const NAGIOS_CODES = [2, 3];

/** All that is wrong with the counts and exit codes of runs for many targets. */
export function judgeTotals(batch: Batch): string[] {
  const codes = batch.targets.map(({ situation }) => EXIT_CODES[situation.truth.state] ?? NaN);
  const truth = {
    targets: codes.length,
    unexpected: codes.filter((code) => code !== 0).length,
  };
  return [
    ...countsOf(batch).flatMap(([format, counts]) => [
      ...differs(`the number of targets in ${format}`, counts.targets, truth.targets),
      ...differs(`the number that failed in ${format}`, counts.unexpected, truth.unexpected),
    ]),
    ...BATCH_FORMATS.flatMap((format) => {
      const { exitCode } = batch.results[format];
      return format === 'nagios'
        ? differs('a known exit code of nagios', NAGIOS_CODES.includes(exitCode ?? NaN), true)
        : differs(`the exit code of ${format}`, exitCode, Math.max(...codes));
    }),
  ];
}
