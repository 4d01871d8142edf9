import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { environment } from '../support/command.js';
import { temporaryFolder } from '../support/daemon.js';
import {
  exporterCommand,
  exporterOf,
  get,
  listenNames,
  readOwnMetrics,
  samplesOf,
  startExporter,
  type TestExporter,
} from '../support/exporter.js';
import { freePort, listen, listenDns, SOON } from '../support/listeners.js';
import { HARMFUL, HOSTILE } from '../support/reports.js';

const recorder = fileURLToPath(new URL('../support/loaded-modules.cjs', import.meta.url));

/** A server that greets with a line. */
async function greet(line: string): Promise<number> {
  const server = createServer((socket) =>
    socket
      .on('error', () => {})
      .resume()
      .write(`${line}\r\n`),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe('the metrics of blackbox_exporter', () => {
  it('are beside those of portping, without labels', async () => {
    const [{ port }, closed] = [await listen(), await freePort()];
    const dns = await listenNames({ 'db.test': ['127.0.0.1'] });
    const exporter = await startExporter(['--dns', dns.address]);
    const open = await exporter.probe({ target: `db.test:${port}`, module: 'tcp_connect' });
    const samples = samplesOf(open.body);
    expect(samples).toMatchObject({
      probe_success: 1,
      probe_ip_protocol: 4,
      probe_timeout_seconds: 5,
      [`portping_success{target="db.test:${port}"}`]: 1,
    });
    expect(samples['probe_dns_lookup_time_seconds']).toBeGreaterThan(0);
    expect(samples['probe_duration_seconds']).toBeGreaterThan(
      samples['probe_dns_lookup_time_seconds'] ?? NaN,
    );
    expect(samples).not.toHaveProperty('probe_ssl_earliest_cert_expiry');
    const refused = await exporter.probe({ target: `127.0.0.1:${closed}` });
    expect(samplesOf(refused.body)).toMatchObject({
      probe_success: 0,
      probe_ip_protocol: 4,
      probe_dns_lookup_time_seconds: 0,
    });
    expect(samplesOf((await exporter.probe({ target: 'nowhere.test:1' })).body)).toMatchObject({
      probe_success: 0,
      probe_ip_protocol: 0,
    });
  });

  it.each([
    ['portping', ['portping_success']],
    ['blackbox', ['probe_success']],
    ['both', ['probe_success', 'portping_success']],
  ])('--metrics %s has %j', async (names, expected) => {
    const exporter = await startExporter(['--metrics', names]);
    const { body } = await exporter.probe({ target: `127.0.0.1:${await freePort()}` });
    expect(body.match(/^(probe|portping)_success/gm)).toEqual(expected);
  });
});

describe('debug=true', () => {
  it('says what the probe did and why it failed, and what the metrics would be', async () => {
    const closed = await freePort();
    const dns = await listenNames({ 'db.test': ['127.0.0.1'] });
    const exporter = await startExporter(['--dns', dns.address]);
    const { status, headers, body } = await exporter.probe({
      target: `db.test:${closed}`,
      module: 'tcp_connect',
      debug: 'true',
    });
    expect([status, headers['content-type']]).toEqual([200, 'text/plain; charset=utf-8']);
    const [logs = '', metrics = '', module] = body.split(
      /^(?:Metrics that would have been returned|Module configuration):\n/m,
    );
    expect(logs).toMatch(/^Logs for the probe:\nTimeout: 5 s\.\n/);
    expect(logs).toContain(`Name db.test: 127.0.0.1 (DNS server ${dns.address}, `);
    expect(logs).toMatch(/^Attempt 127\.0\.0\.1:\d+ after .* ms: closed, conn-refused <10061> /m);
    expect(logs).toMatch(/^Result: closed\.\nWhy: .*WSAECONNREFUSED/m);
    expect(samplesOf(metrics)).toMatchObject({ probe_success: 0 });
    expect(module).toBe('tcp_connect: {"prober":"tcp"}\n');
  });

  it('has nothing raw of what a server says, and neither has the page or the log', async () => {
    const port = await greet(`${HOSTILE}<script>alert(1)</script>`);
    const exporter = await startExporter();
    const target = `127.0.0.1:${port}`;
    for (const module of ['smtp', 'banner', 'ssh']) {
      const { body } = await exporter.probe({ target, module, debug: 'true' });
      expect(body).toContain('Service: ');
      expect(body.replaceAll('\n', '')).not.toMatch(HARMFUL);
    }
    const page = (await get(`${exporter.url}/`)).body;
    expect(page).toContain('wrong-protocol');
    expect(page).not.toContain('<script');
    expect(page.replaceAll('\n', '')).not.toMatch(HARMFUL);
  });
});

describe('the configuration', () => {
  const start = async (yaml: string, args: string[] = []) => {
    const file = join(await temporaryFolder(), 'blackbox.yml');
    await writeFile(file, yaml);
    return { file, exporter: await startExporter(['--config.file', file, ...args]) };
  };

  it('has own modules, which /config shows', async () => {
    const port = await greet('220 hello');
    const { exporter } = await start(
      'modules: {mail: {prober: tcp, timeout: 2s, tcp: {service: banner}}}',
    );
    const { body } = await exporter.probe({ target: `127.0.0.1:${port}`, module: 'mail' });
    expect(samplesOf(body)).toMatchObject({ probe_success: 1, probe_timeout_seconds: 2 });
    expect((await get(`${exporter.url}/config`)).body).toContain(
      '  mail:\n    prober: tcp\n    timeout: 2000ms\n    tcp:\n      service: banner\n',
    );
  });

  it('prefers the addresses of a family, and falls back to the others', async () => {
    const { port } = await listen();
    const dns = await listenDns((type, name) => {
      if (type === 'A') return [{ type: 'A', name, ttl: 60, data: '127.0.0.1' }];
      return name === 'four.test' ? [] : [{ type: 'AAAA', name, ttl: 60, data: '::1' }];
    });
    const { exporter } = await start(
      `modules:
  prefers6: {tcp: {preferred_ip_protocol: ip6}}
  prefers4: {tcp: {preferred_ip_protocol: ip4}}
  only6: {tcp: {preferred_ip_protocol: ip6, ip_protocol_fallback: false}}`,
      ['--dns', dns.address],
    );
    const protocol = async (name: string, module: string) => {
      const { body } = await exporter.probe({ target: `${name}:${port}`, module, all: '1' });
      return [
        samplesOf(body)['probe_ip_protocol'],
        [...body.matchAll(/^portping_address_open.*address="([^"]*)"/gm)].map(([, each]) => each),
      ];
    };
    expect(await protocol('both.test', 'prefers4')).toEqual([4, ['127.0.0.1']]);
    expect(await protocol('both.test', 'prefers6')).toEqual([6, ['::1']]);
    expect(await protocol('four.test', 'prefers6')).toEqual([4, ['127.0.0.1']]);
    expect(await protocol('four.test', 'only6')).toEqual([0, []]);
    expect((await protocol('both.test', 'tcp_connect'))[1]).toHaveLength(2);
  });

  it('is loaded again by /-/reload and SIGHUP; a wrong one changes nothing', async () => {
    const { file, exporter } = await start('modules: {first: {}}');
    const target = `127.0.0.1:${await freePort()}`;
    const status = async (module: string) => (await exporter.probe({ target, module })).status;
    const reload = () => get(`${exporter.url}/-/reload`, { method: 'POST' });
    expect([await status('first'), await status('second')]).toEqual([200, 400]);

    await writeFile(file, 'modules: {second: {}}');
    expect([await status('first'), await status('second')]).toEqual([200, 400]);
    expect((await reload()).status).toBe(200);
    expect([await status('first'), await status('second')]).toEqual([400, 200]);

    for (const [wrong, message] of [
      [
        'modules: {third: {prober: http}}',
        /modules\.third\.prober: "http" is unknown; allowed: tcp/,
      ],
      ['modules: {third: [', /is not YAML: /],
    ] as const) {
      await writeFile(file, wrong);
      const refused = await reload();
      expect([refused.status, refused.body]).toEqual([500, expect.stringMatching(message)]);
      expect(refused.body).toMatch(/ \(the old configuration stays\)\n$/);
      expect(await status('second')).toBe(200);
      expect(
        (await readOwnMetrics(exporter))['portping_exporter_config_last_reload_successful'],
      ).toBe(0);
    }

    await writeFile(file, 'modules: {fourth: {}}');
    if (process.platform === 'win32') return;
    exporter.child.kill('SIGHUP');
    await expect.poll(() => status('fourth'), SOON).toBe(200);
    expect(exporter.log.filter(({ event }) => /reload/.test(String(event)))).toMatchObject([
      { event: 'reloaded' },
      { event: 'reload-failed', level: 'error' },
      { event: 'reload-failed' },
      { event: 'reloaded' },
    ]);
  });

  it('/-/reload must be a POST or a PUT, and not of another site', async () => {
    const exporter = await startExporter();
    const reload = (method: string, headers = {}) =>
      get(`${exporter.url}/-/reload`, { method, headers });
    const refused = await reload('GET');
    expect([refused.status, refused.headers.allow]).toEqual([405, 'POST, PUT']);
    expect((await reload('PUT')).status).toBe(200);
    expect((await reload('POST', { Origin: 'http://evil.example' })).status).toBe(403);
    expect((await get(`${exporter.url}/-/ready`)).body).toBe('portping-exporter is ready.\n');
  });

  it.each([
    ['modules: {m: {prober: dns}}', '--config.file.modules.m.prober: "dns" is unknown'],
    ['a: b: c', 'is not YAML: '],
  ])('that is wrong prevents the start: %s', async (yaml, message) => {
    await expect(start(yaml)).rejects.toThrow(message);
  });

  it('loads what reads YAML only when it is used', async () => {
    const start = async (...args: string[]) => {
      const [node = '', ...words] = exporterCommand;
      const child = spawn(
        node,
        ['--require', recorder, ...words, '--listen', '127.0.0.1:0', ...args],
        { env: environment, stdio: ['ignore', 'ignore', 'pipe'] },
      );
      onTestFinished(() => void child.kill('SIGKILL'));
      return exporterOf(child);
    };
    const filesOf = async (exporter: TestExporter): Promise<string[]> => {
      await exporter.stop();
      const files = () => exporter.log.find((line) => 'files' in line)?.['files'] as string[];
      await expect.poll(files, SOON).toBeDefined();
      return files();
    };
    const plain = await start();
    await plain.probe({ target: `127.0.0.1:${await freePort()}`, module: 'tcp_connect' });
    expect(await filesOf(plain)).toEqual(['exporter.cjs']);
    const file = join(await temporaryFolder(), 'blackbox.yml');
    await writeFile(file, 'modules:');
    expect(await filesOf(await start('--config.file', file))).toContain('exporter-yaml.cjs');
  });
});
