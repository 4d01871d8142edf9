import { describe, expect, it } from 'vitest';
import { findings, verdictOf } from '../../../src/core/diagnosis/rules/table.js';
import {
  diagnosisJson,
  diagnosisMarkdown,
  diagnosisText,
} from '../../../src/report/formats/diagnosis.js';
import { CheckLines } from '../../../src/report/formats/diagnosis-checks.js';
import {
  closed,
  dropped,
  filtered,
  observations,
  open,
  OTHER_V4,
  type Particulars,
  server,
  unresolved,
  V4,
} from '../../core/diagnosis/observations.js';

const plain = (text: string): string => text;
const paint = { good: plain, bad: plain, dim: plain };
const HOSTILE = 'evil\x1b[2J\u202e';

function diagnosis(particulars: Particulars) {
  const seen = observations(particulars);
  const found = findings(seen);
  return { observations: seen, findings: found, verdict: verdictOf(found) };
}

const text = (particulars: Particulars, unicode = true): string =>
  diagnosisText(diagnosis(particulars), { paint, unicode });
const stale = {
  attempts: [filtered()],
  given: open(OTHER_V4),
  companions: [filtered('no-response', V4, 443)],
  machine: { proxy: { variable: 'ALL_PROXY', proxy: 'proxy.example' } },
} as const;

describe('a diagnosis for people', () => {
  it('has a line for each check, the verdict with evidence and advice, and hints', () => {
    expect(text(stale)).toBe(
      [
        "✔ Name        the system's resolver: 198.51.100.10 (3.00 ms)",
        '✔             DNS server 192.0.2.53: A: 198.51.100.10 (2.00 ms), AAAA: the name ' +
          'exists but has no such record (2.00 ms)',
        '✖ Address     198.51.100.10:5432: filtered, no-response <10060> after 5 s',
        '✔             198.51.100.20:5432 (--ip): open in 10.0 ms',
        '✔ Machine     1 IPv4 and 0 IPv6 addresses are up, source 203.0.113.5',
        '–             ALL_PROXY: proxy.example',
        '✖ Other ports 198.51.100.10:443: filtered, no-response <10060> after 5 s',
        '',
        'The address of db.example is probably stale or wrong, or the way there ' +
          'or its host is at fault: 198.51.100.10 did not answer, but ' +
          '198.51.100.20 opened. Both look the same from here.',
        'Evidence: 198.51.100.10:5432 did not answer (5 s); 198.51.100.20:5432 opened ' +
          '(10.0 ms); DNS server 192.0.2.53: 198.51.100.10 (2.00 ms).',
        'How sure: probable.',
        'Next: Check which address is right. Ask the operator of DNS to ' +
          'correct the record, or the operator of the host.',
        'Also: 198.51.100.10 answers neither on port 5432 nor on 443: the host is down or ' +
          'answers too late, a firewall drops everything, or the packets or the ' +
          'answers are lost in routing. All look the same from here. Check from ' +
          'inside its own network whether the host is up, how fast it answers, ' +
          'and whether it has a route back. If it is well, check the firewalls ' +
          'and routers on the way, and the rules of this machine for incoming ' +
          'packets.',
        'Also: Applications that use ALL_PROXY connect through proxy.example, not ' +
          'directly. Probe the proxy, too.',
        '',
      ].join('\n'),
    );
  });

  it('has ASCII marks without Unicode', () => {
    expect(text(stale, false)).toMatch(/^\+ Name[^]*\nx Address[^]*\n- {13}ALL_PROXY/);
    expect(text(stale, false)).toMatch(/^[\x20-\x7e\n]*$/);
  });

  it('reports how an open connection was dropped', () => {
    expect(text({ attempts: [dropped('reset')] })).toMatch(
      /open in 10\.0 ms, reset by the other side 1\.00 ms later/,
    );
  });

  it('escapes text from the command line and the network', () => {
    const hostile = {
      host: HOSTILE,
      outcome: { ...unresolved(), host: HOSTILE },
      name: {
        servers: [server('no-such-name', HOSTILE)],
        foundBySearch: [{ name: HOSTILE, addresses: [HOSTILE] }],
      },
      machine: {
        hostName: HOSTILE,
        timeZone: HOSTILE,
        proxy: { variable: 'ALL_PROXY', proxy: HOSTILE },
      },
    };
    for (const output of [
      text(hostile),
      diagnosisJson(diagnosis(hostile)),
      diagnosisMarkdown(diagnosis(hostile), '1.0.0'),
    ])
      expect(output).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/);
  });
});

describe('a diagnosis for programs', () => {
  it('is one JSON object on one line with the verdict, all findings and all observations', () => {
    const line = diagnosisJson(
      diagnosis({ attempts: [closed('198.51.100.10', 5432, 1.23456789)] }),
    );
    expect(line.indexOf('\n')).toBe(line.length - 1);
    const object = JSON.parse(line) as Record<string, any>;
    expect(Object.keys(object)).toEqual([
      'schema',
      'type',
      'time',
      'elapsedMs',
      'target',
      'state',
      'reason',
      'exitCode',
      'verdict',
      'findings',
      'observations',
    ]);
    expect(object).toMatchObject({
      schema: 'portping/1',
      type: 'diagnosis',
      state: 'closed',
      reason: 'conn-refused',
      exitCode: 1,
      verdict: { kind: 'refused', certainty: 'certain', evidence: [{ elapsedMs: 1.235 }] },
    });
    expect(object['findings'][0]).toEqual(object['verdict']);
  });
});

describe('a diagnosis for a ticket', () => {
  it('is Markdown with the verdict and a table of the observations', () => {
    expect(diagnosisMarkdown(diagnosis(stale), '1.2.3')).toBe(
      [
        '### db.example:5432: filtered',
        '',
        '**The address of db.example is probably stale or wrong, or the way there ' +
          'or its host is at fault: 198.51.100.10 did not answer, but ' +
          '198.51.100.20 opened. Both look the same from here.**',
        '',
        '* Evidence: 198.51.100.10:5432 did not answer (5 s); 198.51.100.20:5432 opened ' +
          '(10.0 ms); DNS server 192.0.2.53: 198.51.100.10 (2.00 ms)',
        '* How sure: probable',
        '* Next: Check which address is right. Ask the operator of DNS to ' +
          'correct the record, or the operator of the host.',
        '* Also: 198.51.100.10 answers neither on port 5432 nor on 443: the host is down ' +
          'or answers too late, a firewall drops everything, or the packets or the ' +
          'answers are lost in routing. All look the same from here.',
        '',
        '| | |',
        '|---|---|',
        '| Time | 1970-01-01T00:00:00.000Z (time zone: Europe/Berlin), 20.0 ms |',
        '| From | here, source address 203.0.113.5 |',
        '| Resolver | 192.0.2.53 |',
        "| Name | the system's resolver: 198.51.100.10 (3.00 ms) |",
        '| Name | DNS server 192.0.2.53: A: 198.51.100.10 (2.00 ms), AAAA: the name exists ' +
          'but has no such record (2.00 ms) |',
        '| Address | 198.51.100.10:5432: filtered, no-response \\<10060\\> after 5 s |',
        '| Address | 198.51.100.20:5432 (--ip): open in 10.0 ms |',
        '| Other ports | 198.51.100.10:443: filtered, no-response \\<10060\\> after 5 s |',
        '| Version | portping 1.2.3 |',
        '',
      ].join('\n'),
    );
  });

  it('omits proxies, search domains and other addresses of this machine', () => {
    const output = diagnosisMarkdown(
      diagnosis({
        ...stale,
        name: {
          servers: [server('no-such-name')],
          foundBySearch: [{ name: 'db.secret.example', addresses: [V4] }],
        },
        machine: {
          ...stale.machine,
          addresses: [{ interface: 'wg0', address: '10.99.0.7', family: 4 }],
        },
      }),
      '1.0.0',
    );
    expect(output).not.toMatch(/proxy|secret|wg0|10\.99/i);
  });

  it('escapes the marks of Markdown in a name', () => {
    expect(diagnosisMarkdown(diagnosis({ host: '*a*|<b>`c`' }), '1.0.0')).toMatch(
      /^### \\\*a\\\*\\\|\\<b\\>\\`c\\`:5432/,
    );
  });
});

describe('the lines of a diagnosis that is still running', () => {
  const options = { paint, unicode: true };
  const seen = diagnosis(stale).observations;

  it('come as their facts become known, with the title of their section', () => {
    const lines = new CheckLines(options);
    expect(lines.next({ name: { resolution: seen.name.resolution } })).toEqual([
      "✔ Name        the system's resolver: 198.51.100.10 (3.00 ms)",
    ]);
    expect(lines.next({ companions: seen.companions })).toEqual([
      '✖ Other ports 198.51.100.10:443: filtered, no-response <10060> after 5 s',
    ]);
    expect(lines.next({ name: { servers: seen.name.servers } })).toEqual([
      expect.stringMatching(/^✔ Name {8}DNS server 192\.0\.2\.53: /),
    ]);
    expect(lines.next({ name: { servers: seen.name.servers } })).toEqual([]);
  });

  it('are not repeated at the end, and no line is missing', () => {
    const lines = new CheckLines(options);
    const early = lines.next({ addresses: seen.addresses, name: seen.name });
    const rest = diagnosisText(diagnosis(stale), options, lines).split('\n\n');
    const words = (text: string): string => text.replace(/^(.) .{12}/, '$1 ');
    const all = [...early, ...(rest[0] ?? '').split('\n')].map(words);
    const [whole = ''] = text(stale).split('\n\n');
    expect(all.toSorted()).toEqual(whole.split('\n').map(words).toSorted());
    expect(rest[1]).toBe(text(stale).split('\n\n')[1]);
  });
});
