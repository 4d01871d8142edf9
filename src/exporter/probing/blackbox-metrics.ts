import { toSeconds } from '../../report/numbers.js';
import type { ProbeAnswer } from './prober.js';

type Probe = ProbeAnswer['probes'][number];

/** The certificate of a service with TLS: when it expires, milliseconds since 1970. */
const expiryOf = ({ report: { outcome } }: Probe): number[] =>
  outcome.state === 'open' && outcome.service
    ? [outcome.service.tls?.certificate?.validTo ?? []].flat()
    : [];

/** 4 or 6: the family of the address that decided; 0 if there was none. */
const familyOf = ({ report: { outcome } }: Probe): number =>
  'endpoint' in outcome ? outcome.endpoint.family : 0;

/** The metrics that dashboards of blackbox_exporter use. They have no labels. */
const METRICS: Readonly<
  Record<string, readonly [help: string, value: (answer: ProbeAnswer) => number | undefined]>
> = {
  probe_success: [
    '1 if every probe was as expected, else 0.',
    ({ probes }) => (probes.every(({ verdict }) => verdict.asExpected) ? 1 : 0),
  ],
  probe_duration_seconds: ['Total time of the request.', ({ elapsedMs }) => toSeconds(elapsedMs)],
  probe_timeout_seconds: ['The timeout of the probe.', ({ timeoutMs }) => toSeconds(timeoutMs)],
  probe_dns_lookup_time_seconds: [
    'Time of resolving the name; 0 for an address.',
    ({ probes: [first] }) => first && toSeconds(first.report.resolution.elapsedMs),
  ],
  probe_ip_protocol: [
    'IP version of the address that decided: 4 or 6, or 0 if there was none.',
    ({ probes: [first] }) => first && familyOf(first),
  ],
  probe_ssl_earliest_cert_expiry: [
    "When the server's certificate expires, in seconds since 1970; the earliest of several " +
      'addresses. Absent without TLS.',
    ({ probes }) => {
      const ends = probes.flatMap(expiryOf);
      return ends.length === 0 ? undefined : toSeconds(Math.min(...ends));
    },
  ],
};

/** The results of a request as the metrics of blackbox_exporter. */
export const renderBlackboxMetrics = (answer: ProbeAnswer): string =>
  Object.entries(METRICS)
    .map(([name, [help, valueOf]]) => {
      const value = valueOf(answer);
      return value === undefined
        ? ''
        : `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name} ${value}\n`;
    })
    .join('');
