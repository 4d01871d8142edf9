import { hashSync } from 'bcryptjs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { TestAuthority } from '../support/certificates.js';
import { startDaemon, temporaryFolder } from '../support/daemon.js';
import { get, startExporter } from '../support/exporter.js';
import { freePort, listen, ownLoopback } from '../support/listeners.js';
import { describeWith } from '../support/tools.js';

const PATIENCE = { timeout: 40_000, interval: 200 } as const;

/** The example job of blackbox_exporter's documentation with its module for TCP. */
const configOf = (exporter: number, targets: readonly string[]) => `
global: {scrape_interval: 2s, scrape_timeout: 2s, evaluation_interval: 1s}
rule_files: [rules.yml]
scrape_configs:
  - job_name: blackbox
    metrics_path: /probe
    params:
      module: [tcp_connect]
    static_configs:
      - targets: ${JSON.stringify(targets)}
    relabel_configs:
      - source_labels: [__address__]
        target_label: __param_target
      - source_labels: [__param_target]
        target_label: instance
      - target_label: __address__
        replacement: 127.0.0.1:${exporter}
  - job_name: blackbox_exporter
    static_configs:
      - targets: ['127.0.0.1:${exporter}']
`;

/** Starts Prometheus with the configuration in a folder. */
async function startPrometheus(folder: string) {
  const port = await freePort();
  startDaemon(
    [
      'prometheus',
      '--config.file=prometheus.yml',
      '--storage.tsdb.path=data',
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    folder,
  );
  const api = async (path: string): Promise<any> => {
    const { body } = await get(`http://127.0.0.1:${port}/api/v1/${path}`);
    return (JSON.parse(body) as { data: unknown }).data;
  };
  /** The value for each instance; nothing while Prometheus does not answer. */
  const values = async (promql: string): Promise<Record<string, string>> => {
    const { result } = await api(`query?query=${encodeURIComponent(promql)}`).catch(() => ({
      result: [],
    }));
    return Object.fromEntries(result.map(({ metric, value }: any) => [metric.instance, value[1]]));
  };
  return { api, values };
}

/** Alerts and the expressions of panels, as they are common for blackbox_exporter. */
const RULES = `
groups:
  - name: blackbox
    rules:
      - {alert: ProbeFailed, expr: probe_success == 0, for: 1s}
      - {alert: SlowProbe, expr: 'avg_over_time(probe_duration_seconds[1m]) > 1'}
      - {alert: CertificateExpires, expr: 'probe_ssl_earliest_cert_expiry - time() < 86400 * 21'}
      - {alert: LowUptime, expr: 'avg_over_time(probe_success[1m]) * 100 < 99.9'}
      - {record: timeout_used, expr: probe_duration_seconds / probe_timeout_seconds}
      - {record: lookup, expr: 'avg by (instance) (probe_dns_lookup_time_seconds)'}
      - {record: protocol, expr: 'max by (instance) (probe_ip_protocol)'}
`;

describeWith('prometheus', 'Prometheus', () => {
  it("scrapes with blackbox_exporter's example job, and its alerts and panels work", async () => {
    const { port: open } = await listen();
    const exporter = await startExporter();
    // Servers of other tests listen at 127.0.0.1, so a port of this address stays closed.
    const address = ownLoopback();
    const [up, down] = [`127.0.0.1:${open}`, `${address}:${await freePort(address)}`];
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'prometheus.yml'), configOf(exporter.port, [up, down]));
    await writeFile(join(folder, 'rules.yml'), RULES);
    const { api, values } = await startPrometheus(folder);
    await expect
      .poll(() => values('probe_success{job="blackbox"}'), PATIENCE)
      .toEqual({ [up]: '1', [down]: '0' });
    expect(await values('up{job="blackbox"}')).toEqual({ [up]: '1', [down]: '1' });
    for (const recorded of ['timeout_used', 'lookup', 'protocol'])
      await expect
        .poll(async () => Object.keys(await values(recorded)).sort(), PATIENCE)
        .toEqual([up, down].sort());
    expect(await values('protocol')).toEqual({ [up]: '4', [down]: '4' });
    await expect
      .poll(async () => {
        const { alerts } = await api('alerts');
        return alerts
          .filter(({ state }: any) => state === 'firing')
          .map(({ labels }: any) => [labels.alertname, labels.instance])
          .sort();
      }, PATIENCE)
      .toEqual([
        ['LowUptime', down],
        ['ProbeFailed', down],
      ]);
    const { groups } = await api('rules');
    expect(groups[0].rules.map(({ health }: any) => health)).toEqual(Array(7).fill('ok'));
  });
});

describeWith(['prometheus', 'openssl'], 'Prometheus', () => {
  it('scrapes over TLS with a client certificate and a password', async () => {
    const authority = new TestAuthority();
    onTestFinished(() => authority.remove());
    const server = authority.issue({ commonName: 'exporter', altNames: 'IP:127.0.0.1' });
    const client = authority.issue({ commonName: 'prometheus' });
    const folder = await temporaryFolder();
    await writeFile(
      join(folder, 'web.yml'),
      JSON.stringify({
        tls_server_config: {
          cert_file: server.certFile,
          key_file: server.keyFile,
          client_auth_type: 'RequireAndVerifyClientCert',
          client_ca_file: authority.caFile,
        },
        basic_auth_users: { prometheus: hashSync('secret', 4) },
      }),
    );
    const exporter = await startExporter(['--web.config.file', join(folder, 'web.yml')]);
    const access = {
      scheme: 'https',
      static_configs: [{ targets: [`127.0.0.1:${exporter.port}`] }],
      tls_config: {
        ca_file: authority.caFile,
        cert_file: client.certFile,
        key_file: client.keyFile,
      },
    };
    const basic_auth = { username: 'prometheus', password: 'secret' };
    await writeFile(
      join(folder, 'prometheus.yml'),
      JSON.stringify({
        global: { scrape_interval: '1s', scrape_timeout: '1s' },
        scrape_configs: [
          { job_name: 'right', ...access, basic_auth },
          { job_name: 'no-password', ...access },
          {
            job_name: 'no-certificate',
            ...access,
            basic_auth,
            tls_config: { ca_file: authority.caFile },
          },
        ],
      }),
    );
    const { values } = await startPrometheus(folder);
    const up = async () =>
      Promise.all(
        ['right', 'no-password', 'no-certificate'].map(async (job) =>
          Object.values(await values(`up{job="${job}"}`)).join(),
        ),
      );
    await expect.poll(up, PATIENCE).toEqual(['1', '0', '0']);
  });
});
