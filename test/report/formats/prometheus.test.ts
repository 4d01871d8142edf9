import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judge } from '../../../src/core/facts/expectation.js';
import type { CertificateFacts } from '../../../src/core/facts/service-finding.js';
import { escapeControls } from '../../../src/report/escape.js';
import { prometheusReporter, renderMetrics } from '../../../src/report/formats/prometheus.js';
import {
  cancelledOutcome,
  closedOutcome,
  endpoint6,
  eventOf,
  failedOutcome,
  filteredOutcome,
  HARMFUL,
  HOSTILE,
  openOutcome,
  reportOf,
  resolved,
  answeredService,
  silentService,
  tlsFacts,
  unresolvedOutcome,
} from '../../support/reports.js';

/** The samples as `name{labels}` and value, without comments. */
function samplesOf(text: string): Record<string, string> {
  const lines = text
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.lastIndexOf(' ')),
      line.slice(line.lastIndexOf(' ') + 1),
    ]),
  );
}

const TARGET = 'target="mail.example.com:25"';
const ADDRESS = `${TARGET},address="192.0.2.10",family="ipv4"`;
const IPV6_ADDRESS = `${TARGET},address="2001:db8::1",family="ipv6"`;

describe('the metrics of a probe', () => {
  it('have the phases in seconds when the port is open', () => {
    expect(samplesOf(renderMetrics([eventOf(reportOf(openOutcome()))]))).toEqual({
      [`portping_success{${TARGET}}`]: '1',
      [`portping_cause{${TARGET},state="open",cause="open"}`]: '1',
      [`portping_duration_seconds{${TARGET}}`]: '0.013846',
      [`portping_dns_seconds{${TARGET}}`]: '0.0015',
      [`portping_connect_seconds{${TARGET}}`]: '0.012346',
      [`portping_addresses{${TARGET}}`]: '1',
      [`portping_address_open{${ADDRESS}}`]: '1',
      [`portping_address_cause{${ADDRESS},state="open",cause="open"}`]: '1',
      [`portping_address_connect_seconds{${ADDRESS}}`]: '0.012346',
    });
  });

  it.each([
    [closedOutcome(), 'closed', 'conn-refused'],
    [filteredOutcome('host-unreach'), 'filtered', 'host-unreach'],
    [failedOutcome('no-files-left'), 'failed', 'no-files-left'],
    [unresolvedOutcome('resolver-timeout'), 'unresolved', 'resolver-timeout'],
  ] as const)(
    'have the cause as a label, and no latency, when it is not: %#',
    (outcome, state, cause) => {
      const text = renderMetrics([eventOf(reportOf(outcome))]);
      const samples = samplesOf(text);
      expect(samples[`portping_success{${TARGET}}`]).toBe('0');
      expect(samples[`portping_cause{${TARGET},state="${state}",cause="${cause}"}`]).toBe('1');
      expect(text).not.toContain('connect_seconds{');
      expect(text).toMatch(/\n# mail\.example\.com:25: \d+ WSA.*\n$/); // why, for people
    },
  );

  it('have exactly one cause per target, for any outcome', () => {
    const text = renderMetrics(
      [openOutcome(), closedOutcome()].map((outcome) => eventOf(reportOf(outcome))),
    );
    expect(text.match(/^portping_cause\{/gm)).toHaveLength(1);
    expect(samplesOf(text)[`portping_cause{${TARGET},state="closed",cause="conn-refused"}`]).toBe(
      '1',
    );
    expect(samplesOf(text)[`portping_success{${TARGET}}`]).toBe('0');
  });

  it('have the service time and the expiry of the certificate after a service check', () => {
    expect(
      samplesOf(
        renderMetrics([
          eventOf(reportOf(openOutcome({ service: answeredService({ tls: tlsFacts() }) }))),
        ]),
      ),
    ).toMatchObject({
      [`portping_success{${TARGET}}`]: '1',
      [`portping_cause{${TARGET},state="open",cause="open"}`]: '1',
      [`portping_duration_seconds{${TARGET}}`]: '0.019046',
      [`portping_service_seconds{${TARGET}}`]: '0.0052',
      [`portping_certificate_expiry_timestamp_seconds{${TARGET}}`]: '1778000767.089',
    });
    expect(
      samplesOf(renderMetrics([eventOf(reportOf(openOutcome({ service: silentService() })))])),
    ).toMatchObject({
      [`portping_success{${TARGET}}`]: '0',
      [`portping_cause{${TARGET},state="open",cause="silent"}`]: '1',
      [`portping_address_open{${ADDRESS}}`]: '1',
      [`portping_address_cause{${ADDRESS},state="open",cause="silent"}`]: '1',
    });
  });

  it('have the earliest expiry and the longest service time of several addresses', () => {
    const at = (validTo: number, elapsedMs: number) =>
      eventOf(
        reportOf(
          openOutcome({
            service: answeredService({
              elapsedMs,
              tls: tlsFacts({ certificate: certificate && { ...certificate, validTo } }),
            }),
          }),
        ),
      );
    const { certificate } = tlsFacts();
    const probes = [at(3000, 4), at(2000, 5), eventOf(reportOf(closedOutcome()))];
    for (const some of [
      probes,
      [...probes].reverse(),
      [
        at(3000, 5),
        eventOf(reportOf(openOutcome({ service: silentService({ elapsedMs: 1 }) }))),
        at(2000, 1),
      ],
    ]) {
      expect(samplesOf(renderMetrics(some))).toMatchObject({
        [`portping_success{${TARGET}}`]: '0',
        [`portping_service_seconds{${TARGET}}`]: '0.005',
        [`portping_certificate_expiry_timestamp_seconds{${TARGET}}`]: '2',
      });
    }
  });

  it('have no expiry when the date of the certificate cannot be read', () => {
    const service = answeredService({
      tls: {
        ...tlsFacts(),
        certificate: {
          ...tlsFacts().certificate,
          validTo: null,
          daysLeft: null,
        } as CertificateFacts,
      },
    });
    expect(renderMetrics([eventOf(reportOf(openOutcome({ service })))])).not.toMatch(
      /certificate_expiry|NaN/,
    );
  });

  it('have the cause too-slow when an open port exceeds the maximum latency', () => {
    const event = eventOf(reportOf(openOutcome()), {
      verdict: judge(openOutcome(), { maxLatencyMs: 1 }),
    });
    expect(samplesOf(renderMetrics([event]))).toMatchObject({
      [`portping_success{${TARGET}}`]: '0',
      [`portping_cause{${TARGET},state="open",cause="too-slow"}`]: '1',
    });
  });

  it('have each tried address, but not a cancelled one', () => {
    const refused = closedOutcome({ endpoint: endpoint6 });
    const resolution = resolved([
      { address: '2001:db8::1', family: 6 },
      { address: '192.0.2.10', family: 4 },
      { address: '192.0.2.11', family: 4 },
    ]);
    const given = cancelledOutcome({ endpoint: { address: '192.0.2.11', family: 4, port: 25 } });
    const text = renderMetrics([
      eventOf(reportOf(openOutcome(), { attempts: [refused, openOutcome(), given], resolution })),
    ]);
    expect(samplesOf(text)).toMatchObject({
      [`portping_success{${TARGET}}`]: '1',
      [`portping_addresses{${TARGET}}`]: '3',
      [`portping_address_open{${IPV6_ADDRESS}}`]: '0',
      [`portping_address_cause{${IPV6_ADDRESS},state="closed",cause="conn-refused"}`]: '1',
      [`portping_address_open{${ADDRESS}}`]: '1',
    });
    expect(text).not.toContain('192.0.2.11');
  });

  it('are grouped, with one HELP line each and no duplicate sample', () => {
    const events = ['a', 'b', 'a'].map((host) =>
      eventOf(reportOf(openOutcome(), { target: { host, port: 25 } })),
    );
    const reporter = prometheusReporter();
    expect(events.map((event) => reporter.probe(event).stdout).join('')).toBe('');
    const { stdout } = reporter.finish({
      type: 'totals',
      probes: 3,
      counts: {},
      unexpected: 0,
      hasExpectations: false,
      elapsedMs: 1,
      exitCode: 0,
      isComplete: true,
    });
    const names = stdout
      .trimEnd()
      .split('\n')
      .map((line) => /^(?:# (?:HELP|TYPE) )?([a-z_]+)/.exec(line)?.[1]);
    expect(names.filter((name, index) => name !== names[index - 1]).length).toBe(
      new Set(names).size,
    );
    const lines = stdout
      .split('\n')
      .filter((line) => line.includes('{'))
      .map((line) => line.split(' ')[0]);
    expect(new Set(lines).size).toBe(lines.length);
  });

  it('escape a hostile name', () => {
    const host = `${HOSTILE}"} 1\\`;
    const text = renderMetrics([
      eventOf(reportOf(closedOutcome(), { target: { host, port: 25 } })),
    ]);
    for (const line of text.trimEnd().split('\n')) {
      expect(line).not.toMatch(HARMFUL);
      if (!line.startsWith('#'))
        expect(line).toMatch(/^[a-z_]+\{(?:[a-z]+="(?:[^"\\]|\\\\|\\")*",?)+\} [\d.]+$/);
    }
  });

  it('contain the escaped name, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (host) => {
        const [line = ''] = renderMetrics([
          eventOf(reportOf(openOutcome(), { target: { host: `x${host}`, port: 25 } })),
        ])
          .split('\n')
          .filter((each) => each.startsWith('portping_success{'));
        const quoted =
          /^portping_success\{target="((?:[^"\\\n]|\\[\\"n])*)"\} 1$/.exec(line)?.[1] ??
          'not a sample';
        const name = escapeControls(host.includes(':') ? `[x${host}]:25` : `x${host}:25`);
        expect(
          quoted.replace(/\\(.)/g, (_, character: string) =>
            character === 'n' ? '\n' : character,
          ),
        ).toBe(name);
      }),
    );
  });
});
