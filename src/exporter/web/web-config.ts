import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { createSecureContext, type SecureContextOptions, type SecureVersion } from 'node:tls';
import { UsageError } from '../../core/usage-error.js';
import { type Fields, fieldsOf, mappingAt, textAt, wordAt } from '../config/fields.js';

const PATH = '--web.config.file';

/** What is asked of a client's certificate: the words of Go's crypto/tls. */
interface ClientAuth {
  readonly requested: boolean;
  readonly required: boolean;
  readonly verified: boolean;
}

const NO_CLIENT_CERT: ClientAuth = { requested: false, required: false, verified: false };
const ANY_CLIENT_CERT: ClientAuth = { requested: true, required: true, verified: false };

const CLIENT_AUTH = {
  NoClientCert: NO_CLIENT_CERT,
  RequestClientCert: { requested: true, required: false, verified: false },
  RequireAnyClientCert: ANY_CLIENT_CERT,
  RequireClientCert: ANY_CLIENT_CERT, // its older name
  VerifyClientCertIfGiven: { requested: true, required: false, verified: true },
  RequireAndVerifyClientCert: { requested: true, required: true, verified: true },
} as const satisfies Readonly<Record<string, ClientAuth>>;

const VERSIONS: Readonly<Record<string, SecureVersion>> = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
};

/** How connections are encrypted, and what clients must show. */
export interface WebTls {
  readonly context: SecureContextOptions;
  readonly client: ClientAuth;
  /** Alternative names of which a client's certificate must have one; empty for any. */
  readonly allowedNames: readonly string[];
}

/** The web configuration: TLS and the users, as Prometheus' exporter-toolkit has them. */
export interface WebConfig {
  /** Null for plain HTTP. */
  readonly tls: WebTls | null;
  /** The bcrypt hash of each user's password; empty if anyone may ask. */
  readonly users: ReadonlyMap<string, string>;
}

const TLS_KEYS = [
  'cert_file',
  'key_file',
  'cert',
  'key',
  'client_ca_file',
  'client_ca',
  'client_auth_type',
  'client_allowed_sans',
  'min_version',
  'max_version',
];

/** Gets the path of each file before it is read. */
type BeforeFile = (path: string) => Promise<void>;

/** Reads PEM from a file or from the text itself. */
async function readPem(
  fields: Fields,
  key: string,
  folder: string,
  beforeFile: BeforeFile,
): Promise<string | undefined> {
  const text = textAt(fields, key);
  const file = textAt(fields, `${key}_file`);
  if (text !== undefined && file !== undefined)
    throw new UsageError(
      `${fields.path}.${key}: is there beside ${key}_file; allowed: one of them`,
    );
  if (file === undefined) return text;
  const path = resolve(folder, file);
  await beforeFile(path);
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw new UsageError(
      `${fields.path}.${key}_file: cannot read ${path} (${code}); allowed: a readable file`,
    );
  }
}

function needed(value: string | undefined, { path }: Fields, key: string): string {
  if (value !== undefined) return value;
  throw new UsageError(`${path}: has neither ${key} nor ${key}_file; allowed: one of them`);
}

function readNames({ path, values }: Fields): readonly string[] {
  const names = values['client_allowed_sans'] ?? [];
  if (Array.isArray(names) && names.every((each) => typeof each === 'string')) return names;
  throw new UsageError(`${path}.client_allowed_sans: is not a list of texts; allowed: a list`);
}

async function readTls(fields: Fields, folder: string, beforeFile: BeforeFile): Promise<WebTls> {
  const pem = (key: string) => readPem(fields, key, folder, beforeFile);
  const client =
    CLIENT_AUTH[
      wordAt(
        fields,
        'client_auth_type',
        Object.keys(CLIENT_AUTH) as (keyof typeof CLIENT_AUTH)[],
      ) ?? 'NoClientCert'
    ];
  const authorities = await pem('client_ca');
  const allowedNames = readNames(fields);
  for (const [key, isThere] of [
    ['client_ca', authorities !== undefined],
    ['client_allowed_sans', allowedNames.length > 0],
  ] as const)
    if (isThere && !client.requested)
      throw new UsageError(
        `${fields.path}.${key}: is there, but no certificate is requested; ` +
          'allowed with client_auth_type: RequireAndVerifyClientCert',
      );
  const version = (key: string) => VERSIONS[wordAt(fields, key, Object.keys(VERSIONS)) ?? ''];
  const context: SecureContextOptions = {
    cert: needed(await pem('cert'), fields, 'cert'),
    key: needed(await pem('key'), fields, 'key'),
    ca: authorities,
    minVersion: version('min_version') ?? 'TLSv1.2',
    maxVersion: version('max_version') ?? 'TLSv1.3',
  };
  try {
    createSecureContext(context);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `${fields.path}: OpenSSL refuses it (${what}); allowed: a certificate and its key in PEM`,
    );
  }
  return { context, client, allowedNames };
}

/** Two dollars and the version, the cost, 22 characters of salt and 31 of the hash. */
const BCRYPT = /^\$2[aby]\$(?:0[4-9]|[12]\d|3[01])\$[./A-Za-z\d]{53}$/;

function readUsers(fields: Fields | undefined): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(fields?.values ?? {}).map(([name, hash]): [string, string] => {
      if (typeof hash === 'string' && BCRYPT.test(hash)) return [name, hash];
      throw new UsageError(
        `${PATH}.basic_auth_users.${name}: is not a hash of bcrypt; ` +
          'allowed: what htpasswd -nB prints after the colon',
      );
    }),
  );
}

/**
 * Checks a web configuration and reads the files that it names.
 *
 * @param content the file, parsed
 * @param path where it is; other paths are relative to its folder
 * @param beforeFile gets the path of each file that it names, before that is read
 * @throws UsageError naming the key, what is wrong with it and what is allowed
 */
export async function readWebConfig(
  content: unknown,
  path: string,
  beforeFile: BeforeFile = async () => {},
): Promise<WebConfig> {
  const file = fieldsOf(content ?? {}, PATH, ['tls_server_config', 'basic_auth_users']);
  const tls = mappingAt(file, 'tls_server_config', TLS_KEYS);
  return {
    tls: tls ? await readTls(tls, dirname(path), beforeFile) : null,
    users: readUsers(mappingAt(file, 'basic_auth_users')),
  };
}
