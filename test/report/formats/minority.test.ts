import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/core/facts/outcome.js';
import { tableReporter } from '../../../src/report/formats/table.js';
import { textReporter } from '../../../src/report/formats/text.js';
import type { Reporter } from '../../../src/report/reporter.js';
import {
  closedOutcome,
  eventOf,
  filteredOutcome,
  HARMFUL,
  HOSTILE,
  openOutcome,
  options,
  reportOf,
} from '../../support/reports.js';
import { totalsOf } from '../../support/texts.js';

type Probed = readonly [outcome: Outcome, host: string, ports: readonly number[]];

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** The last line of a run with these probes, without its number and time. */
function endOf(probed: readonly Probed[], reporter: Reporter): string {
  const counts: Partial<Record<Outcome['state'], number>> = {};
  let probes = 0;
  for (const [outcome, host, ports] of probed)
    for (const port of ports) {
      reporter.probe(eventOf(reportOf(outcome, { target: { host, port } })));
      counts[outcome.state] = (counts[outcome.state] ?? 0) + 1;
      probes += 1;
    }
  const { stderr } = reporter.finish({ ...totalsOf(probes), counts });
  return stderr.replace(/^\d+ probes? in [^:]*: /, '').trimEnd();
}

const table = (): Reporter => tableReporter(options({ manyTargets: true }));
const text = (): Reporter => textReporter(options({ manyTargets: true, nameEndpoints: true }));

const HOST = '192.0.2.10';
const [open, closed, filtered] = [openOutcome(), closedOutcome(), filteredOutcome()];

describe('the end of a sweep', () => {
  it.each<[string, readonly Probed[], string]>([
    [
      'the ports of the state that few have',
      [
        [closed, HOST, range(1, 60)],
        [filtered, HOST, [9999, 8888]],
      ],
      '60 closed; filtered: 8888, 9999.',
    ],
    [
      'no open ports: they are in the table',
      [
        [closed, HOST, range(1, 60)],
        [open, HOST, [443]],
        [filtered, HOST, [8888]],
      ],
      '60 closed, 1 open; filtered: 8888.',
    ],
    [
      '20 ports one by one',
      [
        [closed, HOST, range(1, 60)],
        [filtered, HOST, range(101, 120)],
      ],
      `60 closed; filtered: ${range(101, 120).join(', ')}.`,
    ],
    [
      'more ports as ranges, with their number',
      [
        [closed, HOST, range(1, 60)],
        [filtered, HOST, [...range(101, 120), 8888]],
      ],
      '60 closed; 21 filtered: 101-120, 8888.',
    ],
    [
      'nothing where there are more than 20 ranges',
      [
        [closed, HOST, range(1, 60)],
        [filtered, HOST, range(1, 21).map((each) => 100 + 2 * each)],
      ],
      '60 closed, 21 filtered.',
    ],
    [
      'only hosts where they have one port',
      [
        ...range(1, 60).map((last): Probed => [filtered, `10.0.0.${last}`, [22]]),
        [closed, '10.0.1.1', [22]],
      ],
      '60 filtered; closed: 10.0.1.1.',
    ],
    [
      'hosts with ports where there are several of both',
      [
        [closed, 'a', range(1, 60)],
        [filtered, 'b', [22]],
        [filtered, '::1', [23]],
      ],
      '60 closed; filtered: b:22, [::1]:23.',
    ],
    ['nothing where all are alike', [[closed, HOST, range(1, 60)]], '60 closed.'],
    [
      'nothing of a run that fits a screen',
      [
        [closed, HOST, range(1, 19)],
        [filtered, HOST, [8888]],
      ],
      '19 closed, 1 filtered.',
    ],
  ])('names %s', (_, probed, end) => {
    expect(endOf(probed, table())).toBe(end);
  });

  it('names open ports, too, where each target has a line of its own', () => {
    expect(
      endOf(
        [
          [closed, HOST, range(1, 60)],
          [open, HOST, [443]],
        ],
        text(),
      ),
    ).toBe('60 closed; open: 443.');
  });

  it('names each target once, however many addresses it has', () => {
    const two: readonly Probed[] = [
      [closed, HOST, range(1, 60)],
      [filtered, HOST, [88, 88]],
    ];
    expect(endOf(two, text())).toBe('60 closed; filtered: 88.');
  });

  it('does not name thousands of targets', () => {
    const many: readonly Probed[] = [
      [closed, HOST, range(1, 6000)],
      [filtered, HOST, range(6001, 11_999)],
    ];
    expect(endOf(many, table())).toBe('6000 closed, 5999 filtered.');
  });

  it('holds no control characters of a hostile name', () => {
    const end = endOf(
      [
        [closed, 'a', range(1, 60)],
        [filtered, HOSTILE, [1]],
      ],
      table(),
    );
    expect(end).toContain('filtered: a\\x1b');
    expect(end).not.toMatch(HARMFUL);
  });
});
