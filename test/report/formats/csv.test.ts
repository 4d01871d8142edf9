import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProbeEvent } from '../../../src/core/facts/events.js';
import { csvReporter } from '../../../src/report/formats/csv.js';
import { escapeControls } from '../../../src/report/escape.js';
import {
  answeredService,
  closedOutcome,
  eventOf,
  HARMFUL,
  openOutcome,
  reportOf,
  silentService,
} from '../../support/reports.js';
import { anyEvent, anyText, totalsOf } from '../../support/texts.js';

function csvOf(events: readonly ProbeEvent[]): string {
  const reporter = csvReporter({ expect: 'open' });
  return [
    ...events.map((event) => reporter.probe(event).stdout),
    reporter.finish(totalsOf(events.length)).stdout,
  ].join('');
}

/** Reads CSV strictly by the grammar of RFC 4180, section 2. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let rest = text;
  while (rest !== '') {
    const row: string[] = [];
    for (let end = ','; end === ',';) {
      const [field, quoted, plain] =
        /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))(?=,|\r\n)/.exec(rest) ?? [];
      if (field === undefined) throw new Error(`not CSV: ${JSON.stringify(rest.slice(0, 40))}`);
      row.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'));
      end = rest[field.length] ?? '';
      rest = rest.slice(field.length + (end === ',' ? 1 : 2));
    }
    rows.push(row);
  }
  return rows;
}

describe('the CSV report', () => {
  it('has a header and a row for each probe, with times in milliseconds', () => {
    const [head, open, closed, end] = csvOf([
      eventOf(reportOf(openOutcome())),
      eventOf(reportOf(closedOutcome())),
    ]).split('\r\n');
    expect(head).toBe(
      'time,host,port,address,state,reason,winsock,latency_ms,elapsed_ms,dns_ms,' +
        'expected,as_expected,exit_code,explanation,service,service_state,service_ms,' +
        'service_said,tls_version,tls_days_left',
    );
    expect(open).toBe(
      '2026-03-04T05:06:07.089Z,mail.example.com,25,192.0.2.10,open,,,12.346,,1.5,' +
        'open,true,0,,,,,,,',
    );
    expect(closed).toMatch(
      /^2026-03-04T05:06:07\.089Z,mail\.example\.com,25,192\.0\.2\.10,closed,conn-refused,10061,,0\.31,1\.5,open,false,1,"10061 /,
    );
    expect(end).toBe('');
  });

  it('has a header even without a probe', () => {
    expect(csvOf([])).toMatch(/^time,host,.*\r\n$/);
  });

  it('is RFC 4180 with the same number of cells in each row, for any text', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { minLength: 1, maxLength: 20 }), (events) => {
        const csv = csvOf(events);
        expect(csv.replaceAll('\r\n', '')).not.toMatch(HARMFUL);
        const [head, ...rows] = parseCsv(csv);
        expect(rows.map((row) => row.length)).toEqual(events.map(() => head?.length));
        expect(rows.map((row) => row[1]?.replace(/^'/, ''))).toEqual(
          events.map(({ report }) => escapeControls(report.target.host).replace(/^'/, '')),
        );
      }),
    );
  });

  it('escapes the text of a service exactly once in every column', () => {
    const said = '220 \x1b[31m \\x1b';
    const finding = silentService({ firstLine: said, awaited: 'its answer to EHLO' });
    const [, row = []] = parseCsv(csvOf([eventOf(reportOf(openOutcome({ service: finding })))]));
    expect(row[17]).toBe(escapeControls(said));
    expect(row[13]).toContain(` It had sent "${escapeControls(said)}". `);
  });

  it('quotes a word with a comma or a quotation mark, and no other', () => {
    const cellsOf = (firstLine: string): string => {
      const service = answeredService({ firstLine });
      return csvOf([eventOf(reportOf(openOutcome({ service })))]);
    };
    expect(cellsOf('a,1')).toContain(',"a,1",');
    expect(cellsOf('a"1')).toContain(',"a""1",');
    expect(cellsOf('a.1')).toContain(',a.1,');
  });

  it('never starts a cell with a spreadsheet formula', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('=', '+', '-', '@', '|', '＝', '＋', '－', '＠', '\t=', '\r='),
        anyText,
        (first, rest) => {
          const service = answeredService({ firstLine: `${first}${rest}` });
          const [, row = []] = parseCsv(
            csvOf([
              eventOf(
                reportOf(openOutcome({ service }), {
                  target: { host: `${first}${rest}`, port: 25 },
                }),
              ),
            ]),
          );
          expect(
            [row[1], row[17]].filter((cell) => /^[=+\-@|\t\r＝＋－＠]/.test(cell ?? '')),
          ).toEqual([]);
        },
      ),
    );
  });
});
