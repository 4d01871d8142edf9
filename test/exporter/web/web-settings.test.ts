import { execFileSync } from 'node:child_process';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, vi } from 'vitest';
import { WebSettings } from '../../../src/exporter/web/web-settings.js';
import { TestAuthority } from '../../support/certificates.js';
import { temporaryFolder } from '../../support/daemon.js';
import { SOON } from '../../support/listeners.js';
import { describeWith, itWith } from '../../support/tools.js';

/** A web configuration, which `write` replaces, with further keys about clients. */
async function makeConfig() {
  const authority = new TestAuthority();
  onTestFinished(() => authority.remove());
  const { certFile: cert_file, keyFile: key_file } = authority.issue({
    commonName: 'exporter',
    altNames: 'IP:127.0.0.1',
  });
  const folder = await temporaryFolder();
  const file = join(folder, 'web.yml');
  const write = (client: object) =>
    writeFile(file, JSON.stringify({ tls_server_config: { cert_file, key_file, ...client } }));
  return { settings: new WebSettings(file), write, caFile: authority.caFile, folder };
}

const asking = (client_ca_file: string) => ({
  client_ca_file,
  client_auth_type: 'RequestClientCert',
});

describeWith('openssl', 'the files of the web configuration', () => {
  itWith('linux', 'are read again if one changes while another is being read', async () => {
    const { settings, write, folder } = await makeConfig();
    const pipePath = join(folder, 'authority.pem');
    execFileSync('mkfifo', [pipePath]);
    await write(asking(pipePath));
    const loading = settings.load();
    // A pipe opens for writing when it is opened for reading, which is after web.yml was read.
    const pipe = await open(pipePath, 'w');
    await write({});
    await pipe.close();
    await loading;
    expect(settings.config.tls?.client.requested).toBe(true);
    await new Promise<void>((resolve, reject) => {
      settings.watch(() => settings.load().then(resolve, reject));
    });
    expect(settings.config.tls?.client.requested).toBe(false);
  });

  itWith([], 'are no longer watched when the configuration does not name them', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { settings, write, caFile } = await makeConfig();
    await write(asking(caFile));
    await settings.load();
    await write({});
    await settings.load();
    await writeFile(caFile, 'changed');
    const onChange = vi.fn(() => settings.load());
    settings.watch(onChange);
    // Each look at the files ends with a timer for the next.
    await expect.poll(() => vi.getTimerCount(), SOON).toBe(1);
    expect(onChange).not.toHaveBeenCalled();
    await write({ client_auth_type: 'RequestClientCert' });
    vi.advanceTimersToNextTimer();
    await expect.poll(() => settings.config.tls?.client.requested, SOON).toBe(true);
  });
});
