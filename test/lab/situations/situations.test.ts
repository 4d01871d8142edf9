import { describe, expect, it } from 'vitest';
import { CAUSES, type Cause } from './claims.js';
import { MACHINE } from './machine.js';
import { NAMES } from './names.js';
import { ROUTED } from './routed.js';
import { SERVICE } from './service.js';
import { judge } from './oracle.js';
import type { Batch, Said } from './run.js';
import type { Causes, Placed, Truth } from './situation.js';
import { WIRE } from './wire.js';

const ALL = [...WIRE, ...NAMES, ...MACHINE, ...ROUTED, ...SERVICE];

const madeIn = ({ made, besides = [] }: Causes): readonly Cause[] => [...made, ...besides];

describe('the situations', () => {
  it('are at least 200, each with a title of its own', () => {
    expect(ALL.length).toBeGreaterThan(200);
    expect(new Set(ALL.map(({ title }) => title)).size).toBe(ALL.length);
  });

  it('make every cause that is known', () => {
    const made = ALL.flatMap(({ truth }) => [
      ...madeIn(truth),
      ...(truth.diagnosed ? madeIn(truth.diagnosed) : []),
    ]);
    expect(Object.keys(CAUSES).filter((cause) => !made.includes(cause as Cause))).toEqual([]);
  });
});

describe('the oracle', () => {
  const truth: Truth = {
    state: 'filtered',
    reason: 'no-response',
    made: ['firewall-drops'],
    alike: ['host-absent'],
  };
  const placed = { situation: { title: '', truth }, host: '192.0.2.1', port: 1, addresses: [] };
  const probe = (stderr: string, exitCode = 2): Said => ({
    plain: {
      stdout: 'Error Detected',
      stderr,
      exitCode,
      signal: null,
      timedOut: false,
      elapsedMs: 1,
    },
  });
  const GOOD = 'A firewall drops the packets, or the host is absent.';

  it('accepts what is true', () => {
    expect(judge(placed, probe(GOOD))).toEqual([]);
  });

  it.each([
    ['a wrong exit code', GOOD, 1, 'plain: the exit code is 1, but it should be 2'],
    ['a missing cause', 'A firewall drops the packets.', 2, 'does not name the cause host-absent'],
    ['a false cause', 'The host is absent.', 2, 'is false: it names only host-absent'],
    ['a false fact', `${GOOD} The host is up.`, 2, 'states host-up, which is false'],
  ])('reports %s', (_, stderr, exitCode, problem) => {
    expect(judge(placed, probe(stderr, exitCode)).join('\n')).toContain(problem);
  });

  const row = (passed: string, state: string) => `${passed} 1 - a.test:1 is open\n${state}1..1\n`;
  const batchOf = (tap: string): Batch => {
    const json =
      '{"type":"probe","target":{"host":"a.test","port":1},"state":"open","exitCode":0,' +
      '"asExpected":true,"reason":null,"error":null,"address":"192.0.2.1"}\n' +
      '{"type":"totals","probes":1,"unexpected":0}\n';
    const result = { stderr: '', exitCode: 0, signal: null, timedOut: false, elapsedMs: 1 };
    const texts = { json, csv: '', junit: '', tap, nagios: '', prometheus: '' };
    return {
      targets: [],
      results: Object.fromEntries(
        Object.entries(texts).map(([format, stdout]) => [format, { ...result, stdout }]),
      ) as Batch['results'],
    };
  };
  const opened: Placed = {
    situation: { title: '', truth: { state: 'open', reason: null, made: [] } },
    host: 'a.test',
    port: 1,
    addresses: [],
  };

  it('compares the formats with each other', () => {
    expect(judge(opened, { batch: batchOf(row('ok', '')) })).not.toContainEqual(
      expect.stringContaining('tap'),
    );
    const failed = row(
      'not ok',
      '  ---\n  seen: "closed (conn-refused)"\n  message: ""\n  seconds: 0\n  exitCode: 1\n  ...\n',
    );
    expect(judge(opened, { batch: batchOf(failed) })).toEqual(
      expect.arrayContaining([
        'formats: passed in tap is false, but it should be true',
        'formats: state in tap is closed, but it should be open',
        'formats: exitCode in tap is 1, but it should be 0',
        'formats: csv does not have the target',
      ]),
    );
  });
});
