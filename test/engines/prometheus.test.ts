import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { run } from '../support/command.js';
import { startDaemon, temporaryFolder } from '../support/daemon.js';
import { get, startExporter } from '../support/exporter.js';
import { freePort, listen, listenDns, silentPort } from '../support/listeners.js';
import { readmeBlock, readmeBlocks } from '../support/readme.js';
import { describeWith } from '../support/tools.js';

const CONFIG = readmeBlock('yaml', 'rule_files:');
const RULES = readmeBlock('yaml', '# portping-rules.yml');
const PATIENCE = { timeout: 40_000, interval: 200 } as const;

describeWith('promtool', 'promtool', () => {
  it('accepts the configuration and the rules in the README', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'prometheus.yml'), CONFIG);
    await writeFile(join(folder, 'portping-rules.yml'), RULES);
    await writeFile(join(folder, 'shards.yml'), readmeBlock('yaml', 'hashmod'));
    expect(await run(['promtool', 'check', 'rules', join(folder, 'portping-rules.yml')])).toContain(
      'SUCCESS: 7 rules found',
    );
    expect(await run(['promtool', 'check', 'config', join(folder, 'prometheus.yml')])).toMatch(
      /SUCCESS: 1 rule files found[^]*is valid prometheus config/,
    );
    expect(await run(['promtool', 'check', 'config', join(folder, 'shards.yml')])).toContain(
      'is valid prometheus config',
    );
  });
});

describeWith('prometheus', 'Prometheus', () => {
  it('scrapes the exporter as the README says, and its alerts name the causes', async () => {
    const [{ port: open }, closed, silent] = [await listen(), await freePort(), await silentPort()];
    const dns = await listenDns(() => 'NXDOMAIN');
    const exporter = await startExporter(['--dns', dns.address]);
    const targets = {
      [`127.0.0.1:${open}`]: 'open',
      [`127.0.0.1:${closed}`]: 'conn-refused',
      [`127.0.0.1:${silent}`]: 'no-response',
      'nowhere.test:25': 'name-not-found',
    };

    const folder = await temporaryFolder();
    const config = CONFIG.replace(
      "['db.example.com:5432', 'mail.example.com:25']",
      JSON.stringify(Object.keys(targets)),
    ).replaceAll('127.0.0.1:9991', `127.0.0.1:${exporter.port}`);
    expect(config).not.toContain('example.com');
    await writeFile(
      join(folder, 'prometheus.yml'),
      `global: {scrape_interval: 2s, scrape_timeout: 2s, evaluation_interval: 1s}\n${config}`,
    );
    await writeFile(join(folder, 'portping-rules.yml'), RULES.replaceAll('for: 2m', 'for: 1s'));
    const port = await freePort();
    const prometheus = startDaemon(
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
    const query = async (
      promql: string,
    ): Promise<{ metric: Record<string, string>; value: [number, string] }[]> =>
      (await api(`query?query=${encodeURIComponent(promql)}`)).result;
    await expect
      .poll(
        () =>
          api('query?query=up').then(
            () => 'ready',
            () => prometheus.output() || 'not yet',
          ),
        PATIENCE,
      )
      .toBe('ready');

    const causes = async () =>
      Object.fromEntries(
        (await query('portping_cause{job="portping"}')).map(({ metric }) => [
          metric['instance'],
          metric['cause'],
        ]),
      );
    await expect.poll(causes, PATIENCE).toEqual(targets);
    const success = Object.fromEntries(
      (await query('portping_success{job="portping"}')).map(({ metric, value }) => [
        metric['target'],
        value[1],
      ]),
    );
    expect(success).toEqual(
      Object.fromEntries(
        Object.entries(targets).map(([target, cause]) => [target, cause === 'open' ? '1' : '0']),
      ),
    );
    await expect
      .poll(async () => (await query('up{job="portping"} == 1')).length, PATIENCE)
      .toBe(4); // a failed probe is not a failed scrape

    const alerts = async () => {
      const firing = (
        (await api('alerts')).alerts as {
          state: string;
          labels: Record<string, string>;
          annotations: Record<string, string>;
        }[]
      ).filter(({ state }) => state === 'firing');
      return firing
        .map(({ labels, annotations }) => [
          labels['alertname'],
          labels['instance'],
          labels['team'] ?? annotations['summary'],
        ])
        .sort();
    };
    await expect.poll(alerts, PATIENCE).toEqual(
      [
        ['FirewallOrHostDown', `127.0.0.1:${silent}`, 'network'],
        ['NameNotResolved', 'nowhere.test:25', 'dns'],
        ...Object.entries(targets)
          .filter(([, cause]) => cause !== 'open')
          .map(([target, cause]) => [
            'PortNotReachable',
            target,
            `${target} is not reachable: ${cause}`,
          ]),
        ['ServiceDown', `127.0.0.1:${closed}`, 'application'],
      ].sort(),
    );

    for (const promql of readmeBlocks('promql'))
      expect((await query(promql.replaceAll('$__range', '1m'))).length, promql).toBeGreaterThan(0);
    await expect
      .poll(
        async () =>
          (
            await query(
              'portping_exporter_probes_total{job="portping-exporter",state="filtered"} > 0',
            )
          ).length,
        PATIENCE,
      )
      .toBe(1);
  });
});
