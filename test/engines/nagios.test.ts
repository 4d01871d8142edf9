import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { run } from '../support/command.js';
import { startDaemon, temporaryFolder } from '../support/daemon.js';
import { listen } from '../support/listeners.js';
import { portpingCommand } from '../support/portping.js';
import { readmeBlock } from '../support/readme.js';
import { describeWith, SERVER_PATH } from '../support/tools.js';

const PATIENCE = { timeout: 40_000, interval: 200 } as const;
const PERFORMANCE_DATA = /^time=\d+\.\d{6}s;20;30;0;5$/;

const WEEKDAYS = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ');

/** Nagios is in a folder that may not be in PATH. */
const NAGIOS = ['env', `PATH=${SERVER_PATH}`, 'nagios4'];

/** Writes the configuration of a Nagios that checks one host every second; returns its path. */
async function configure(folder: string, port: number): Promise<string> {
  for (const name of ['spool', 'archive', 'tmp']) await mkdir(join(folder, name));
  const inReadme = readmeBlock('', 'define command');
  const objects = inReadme
    .replace('/usr/local/bin/portping', portpingCommand.join(' '))
    .replace('!5432!100ms!1s', `!${port}!20s!30s`);
  expect(objects).not.toBe(inReadme);
  await writeFile(
    join(folder, 'objects.cfg'),
    `
define timeperiod {
  timeperiod_name always
  alias always
${WEEKDAYS.map((day) => `  ${day} 00:00-24:00\n`).join('')}}
define contact {
  contact_name nobody
  host_notifications_enabled 0
  service_notifications_enabled 0
  host_notification_period always
  service_notification_period always
  host_notification_commands check_portping
  service_notification_commands check_portping
}
define host {
  host_name db
  contacts nobody
  address 127.0.0.1
  max_check_attempts 1
  check_period always
  active_checks_enabled 0
}
define service {
  name generic-service
  register 0
  check_interval 1
  retry_interval 1
  max_check_attempts 1
  check_period always
  contacts nobody
}
${objects}`,
  );
  const file = (name: string): string => join(folder, name);
  const settings = {
    cfg_file: file('objects.cfg'),
    log_file: file('nagios.log'),
    status_file: file('status.dat'),
    object_cache_file: file('objects.cache'),
    lock_file: file('nagios.lock'),
    temp_file: file('nagios.tmp'),
    temp_path: file('tmp'),
    check_result_path: file('spool'),
    log_archive_path: file('archive'),
    query_socket: file('nagios.qh'),
    command_file: file('nagios.cmd'),
    nagios_user: 'root',
    nagios_group: 'root',
    check_external_commands: 0,
    interval_length: 1,
    status_update_interval: 1,
    check_result_reaper_frequency: 1,
    service_inter_check_delay_method: 'n',
    service_check_timeout: 30,
    retain_state_information: 0,
    execute_host_checks: 0,
    enable_notifications: 0,
    use_syslog: 0,
    check_for_updates: 0,
  };
  const path = join(folder, 'nagios.cfg');
  await writeFile(
    path,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  return path;
}

/** The status that Nagios has of its only service. */
async function statusOf(folder: string): Promise<Record<string, string>> {
  const text = await readFile(join(folder, 'status.dat'), 'utf8').catch(() => '');
  const lines = /^servicestatus \{\n([^]*?)^\s*\}/m.exec(text)?.[1]?.trim().split('\n') ?? [];
  return Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf('=')).trim(),
      line.slice(line.indexOf('=') + 1),
    ]),
  );
}

describeWith('nagios4', 'Nagios', () => {
  it('goes from OK to CRITICAL and back as the listener stops and starts', async () => {
    const listener = await listen();
    const { port } = listener;
    const folder = await temporaryFolder();
    const path = await configure(folder, port);
    expect(await run([...NAGIOS, '-v', path])).toContain('Total Errors:   0');
    const nagios = startDaemon([...NAGIOS, path], folder);

    const seen = async () => {
      const { current_state, has_been_checked, plugin_output } = await statusOf(folder);
      return has_been_checked === '1'
        ? `${current_state} ${plugin_output}`
        : nagios.output().slice(-500);
    };
    await expect
      .poll(seen, PATIENCE)
      .toMatch(new RegExp(`^0 PORTPING OK: 127\\.0\\.0\\.1:${port} open in [\\d.]+ ms$`));
    expect((await statusOf(folder))['performance_data']).toMatch(PERFORMANCE_DATA);

    await listener.close();
    await expect
      .poll(seen, PATIENCE)
      .toMatch(
        new RegExp(
          `^2 PORTPING CRITICAL: 127\\.0\\.0\\.1:${port} closed, refused <10061> after [\\d.]+ ms$`,
        ),
      );
    const critical = await statusOf(folder);
    expect(critical['performance_data']).toBe('');
    expect(critical['long_plugin_output']).toMatch(/^10061 WSAECONNREFUSED /);

    await listen('127.0.0.1', { port });
    await expect.poll(seen, PATIENCE).toMatch(/^0 PORTPING OK: /);
    expect((await statusOf(folder))['performance_data']).toMatch(PERFORMANCE_DATA);
    const log = await readFile(join(folder, 'nagios.log'), 'utf8');
    expect(
      [...log.matchAll(/SERVICE ALERT: db;PostgreSQL;(\w+);HARD/g)].map(([, state]) => state),
    ).toEqual(['CRITICAL', 'OK']);
  });
});
