import { execFileSync } from 'node:child_process';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { WebSettings } from '../../../src/exporter/web/web-settings.js';
import { TestAuthority } from '../../support/certificates.js';
import { temporaryFolder } from '../../support/daemon.js';
import { itWith } from '../../support/tools.js';

itWith(['linux', 'openssl'], 'reads a file again that changed meanwhile', async () => {
  const authority = new TestAuthority();
  onTestFinished(() => authority.remove());
  const { certFile: cert_file, keyFile: key_file } = authority.issue({
    commonName: 'exporter',
    altNames: 'IP:127.0.0.1',
  });
  const folder = await temporaryFolder();
  const [file, client_ca_file] = [join(folder, 'web.yml'), join(folder, 'authority.pem')];
  execFileSync('mkfifo', [client_ca_file]);
  const write = (client: object) =>
    writeFile(file, JSON.stringify({ tls_server_config: { cert_file, key_file, ...client } }));
  await write({ client_ca_file, client_auth_type: 'RequestClientCert' });
  const settings = new WebSettings(file);
  const loading = settings.load();
  // A pipe opens for writing when it is opened for reading, which is after web.yml was read.
  const pipe = await open(client_ca_file, 'w');
  await write({});
  await pipe.close();
  await loading;
  expect(settings.config.tls?.client.requested).toBe(true);
  await new Promise<void>((resolve, reject) => {
    settings.watch(() => settings.load().then(resolve, reject));
  });
  expect(settings.config.tls?.client.requested).toBe(false);
});
