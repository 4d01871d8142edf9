import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { exporterCommand } from '../support/exporter.js';
import { createLab, describeLab, type Lab } from '../support/lab.js';
import { portpingCommand } from '../support/portping.js';
import { makeReadmeFolder, README_COMMANDS, readmeEnvironment } from '../support/readme.js';

/** What each program runs. Every exporter has a network of its own, where its port is free. */
const COMMANDS = {
  portping: portpingCommand,
  'portping-exporter': [
    ...['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'],
    ...exporterCommand,
  ],
};
const HOST = '192.0.2.10';

/** Hosts of the READMEs: in example.com, and those with one word. */
const NAMES = [
  ...new Set(
    README_COMMANDS.flatMap(({ line }) => line.match(/\b(?:[\w-]+\.)*example\.com\b/g) ?? []),
  ),
  ...['db', 'mail', 'cache', 'smtp'],
];

const LINES = README_COMMANDS.filter(({ isRefused }) => !isRefused).map(
  ({ path, line }) => [path, line] as const,
);

describeLab('a command line in a README', () => {
  let lab: Lab;
  let folder = '';

  beforeAll(async () => {
    lab = await createLab();
    folder = await makeReadmeFolder((program) => {
      const words = COMMANDS[program as keyof typeof COMMANDS];
      return `exec ${words.map((word) => `'${word}'`).join(' ')} "$@"`;
    });
    // Every address of IPv4 is the server.
    await lab.ip('server', 'route add local 0.0.0.0/0 dev lo');
    await lab.ip('client', `route add default via ${lab.server.v4}`);
    await lab.ip('client', 'addr add 192.0.2.7/32 dev lo');
    await lab.setResolver('client', { hosts: NAMES.map((name) => `${HOST} ${name}`).join('\n') });
    await lab.dns('server', { zone: { 'example.com': { A: [HOST] } } });
    for (const port of [25, 443, 5432, 6379]) await lab.listen('server', { port });
  });
  afterAll(async () => {
    await lab.close();
    await rm(folder, { recursive: true, force: true });
  });

  // What runs until it is interrupted is interrupted; what waits for a silent service, too.
  it.concurrent.each(LINES)('runs in %s: %s', async (_, line) => {
    const script = line.replaceAll('/var/lib/prometheus/node-exporter/', './');
    const argv = ['timeout', '--signal=INT', '8s', 'sh', '-c', script];
    const env = readmeEnvironment(folder);
    const result = await lab.exec('client', argv, { cwd: folder, env, timeoutMs: 40_000 });
    expect(result.timedOut).toBe(false);
    expect(result.stderr).not.toMatch(/^portping|not found/m);
    expect([64, 70, 126, 127]).not.toContain(result.exitCode);
  });

  it('has a health check for Docker that exits with 1 also for a filtered port', async () => {
    const [check = ''] = LINES.map(([, line]) => line).filter((line) => line.endsWith('|| exit 1'));
    await lab.drop(8080);
    const script = check.replace('5s', '500ms').replace('127.0.0.1', HOST);
    const env = readmeEnvironment(folder);
    const codes = [];
    for (const line of [script.replace('|| exit 1', ''), script]) {
      const argv = ['sh', '-c', line];
      codes.push((await lab.exec('client', argv, { cwd: folder, env })).exitCode);
    }
    expect(codes).toEqual([2, 1]);
  });
});
