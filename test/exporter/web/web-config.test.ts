import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { UsageError } from '../../../src/core/usage-error.js';
import { readWebConfig } from '../../../src/exporter/web/web-config.js';

const HASH = '$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG';
const read = (yaml: string) => readWebConfig(parse(yaml) as unknown, '/nowhere/web.yml');

describe('the web configuration', () => {
  it('may be empty, or have only users', async () => {
    for (const yaml of ['', '{}', 'tls_server_config:', 'basic_auth_users: {}'])
      expect(await read(yaml)).toMatchObject({ tls: null, users: new Map() });
    expect((await read(`basic_auth_users: {ann: ${HASH}}`)).users).toEqual(
      new Map([['ann', HASH]]),
    );
  });

  it.each([
    ['[a]', '--web.config.file: is a list; allowed: a mapping of tls_server_config, basic_auth'],
    ['http_server_config: {}', '--web.config.file.http_server_config: is not supported; allowed: '],
    ['basic_auth_users: {ann: secret}', 'basic_auth_users.ann: is not a hash of bcrypt; allowed: '],
    ['basic_auth_users: {ann: 1}', 'basic_auth_users.ann: is not a hash of bcrypt'],
    [`basic_auth_users: {ann: "${HASH.slice(1)}"}`, 'is not a hash of bcrypt'],
    [`basic_auth_users: {ann: "${HASH.replace('$10$', '$03$')}"}`, 'is not a hash of bcrypt'],
    ['tls_server_config: {cert_file: a}', 'cert_file: cannot read /nowhere/a (ENOENT); allowed: '],
    ['tls_server_config: {cert: a}', 'tls_server_config: has neither key nor key_file; allowed: '],
    ['tls_server_config: {key: a}', 'tls_server_config: has neither cert nor cert_file'],
    ['tls_server_config: {cert: a, cert_file: b}', 'cert: is there beside cert_file; allowed: one'],
    ['tls_server_config: {cert: a, key: b}', 'tls_server_config: OpenSSL refuses it ('],
    [
      'tls_server_config: {client_auth_type: Verify}',
      'client_auth_type: "Verify" is unknown; allowed: NoClientCert, RequestClientCert, ' +
        'RequireAnyClientCert, RequireClientCert, VerifyClientCertIfGiven, RequireAndVerify',
    ],
    ['tls_server_config: {client_ca: a}', 'client_ca: is there, but no certificate is requested'],
    ['tls_server_config: {client_allowed_sans: [a]}', 'client_allowed_sans: is there, but no'],
    ['tls_server_config: {client_allowed_sans: a}', 'client_allowed_sans: is not a list of texts'],
    ['tls_server_config: {cert: a, key: b, min_version: SSL3}', 'min_version: "SSL3" is unknown'],
    ['tls_server_config: {cipher_suites: []}', 'tls_server_config.cipher_suites: is not supported'],
  ])('is refused: %s', async (yaml, message) => {
    await expect(read(yaml)).rejects.toThrow(UsageError);
    await expect(read(yaml)).rejects.toThrow(message);
  });

  it('never quotes a secret in a refusal', async () => {
    for (const yaml of [
      'basic_auth_users: {ann: s3cret}',
      'tls_server_config: {cert: s3cret, key: s3cret}',
      'tls_server_config: {key: [s3cret]}',
    ])
      await expect(read(yaml)).rejects.toThrow(/^(?!.*s3cret)/);
  });
});
