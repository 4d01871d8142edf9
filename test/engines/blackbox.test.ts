import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startDaemon, temporaryFolder } from '../support/daemon.js';
import { get, startExporter } from '../support/exporter.js';
import { freePort, listen } from '../support/listeners.js';
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
    const [{ port: open }, closed] = [await listen(), await freePort()];
    const exporter = await startExporter();
    const [up, down] = [`127.0.0.1:${open}`, `127.0.0.1:${closed}`];
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'prometheus.yml'), configOf(exporter.port, [up, down]));
    await writeFile(join(folder, 'rules.yml'), RULES);
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
      return Object.fromEntries(
        result.map(({ metric, value }: any) => [metric.instance, value[1]]),
      );
    };
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
