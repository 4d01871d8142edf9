import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate and its key, as PEM and as files. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** What a certificate should be. */
export interface CertificateWishes {
  readonly commonName?: string;
  /** `DNS:mail.example.com,IP:127.0.0.1` */
  readonly altNames?: string;
  /** Validity in days from now; default 0 and 90. */
  readonly fromDays?: number;
  readonly toDays?: number;
  readonly selfSigned?: boolean;
  /** `sha1`; default `sha256`. */
  readonly digest?: string;
  /** Default 2048. */
  readonly rsaBits?: number;
  /** Whether it may issue others. */
  readonly isAuthority?: boolean;
  /** Extended key usage: `serverAuth`, `clientAuth`; default: any. */
  readonly purpose?: string;
  /** The issuer; default: the authority itself. */
  readonly by?: TestCertificate;
}

/** A certificate authority for tests, made with openssl in a temporary directory. */
export class TestAuthority {
  readonly directory = mkdtempSync(join(tmpdir(), 'portping-certificates-'));
  readonly caFile = join(this.directory, 'ca.pem');
  #count = 0;

  constructor() {
    spawnSync('chmod', ['755', this.directory]);
    this.#openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
      '-subj',
      '/CN=Authority of the Tests',
      '-days',
      '3650',
    );
    writeFileSync(join(this.directory, 'index.txt'), '');
    writeFileSync(
      join(this.directory, 'ca.cnf'),
      `[ca]
default_ca=d
[d]
database=${this.directory}/index.txt
new_certs_dir=${this.directory}
certificate=ca.pem
private_key=ca.key
policy=p
copy_extensions=copy
unique_subject=no
default_md=sha256
rand_serial=yes
[p]
commonName=supplied
organizationName=optional
`,
    );
  }

  /** Makes a certificate. */
  issue({
    commonName = 'mail.example.com',
    altNames,
    fromDays = 0,
    toDays = 90,
    selfSigned = false,
    digest = 'sha256',
    rsaBits = 2048,
    isAuthority = false,
    purpose,
    by,
  }: CertificateWishes = {}): TestCertificate {
    const name = `leaf${this.#count++}`;
    const extensions = [
      ...(altNames === undefined ? [] : [`subjectAltName=${altNames}`]),
      ...(isAuthority ? ['basicConstraints=critical,CA:TRUE'] : []),
      ...(purpose === undefined ? [] : [`extendedKeyUsage=${purpose}`]),
    ].flatMap((extension) => ['-addext', extension]);
    const request = [
      'req',
      '-newkey',
      `rsa:${rsaBits}`,
      `-${digest}`,
      '-nodes',
      '-keyout',
      `${name}.key`,
      '-subj',
      `/CN=${commonName}`,
      ...extensions,
    ];
    this.#openssl(...request, '-out', `${name}.csr`);
    // A minute early, so that it is valid at once on every clock here.
    const time = (days: number): string =>
      new Date(Date.now() + days * 86_400_000 - 60_000).toISOString().replace(/[-:T]|\.\d+/g, '');
    const issuer = selfSigned
      ? ['-selfsign', '-keyfile', `${name}.key`]
      : by
        ? ['-cert', by.certFile, '-keyfile', by.keyFile]
        : [];
    this.#openssl(
      'ca',
      '-batch',
      '-config',
      'ca.cnf',
      '-notext',
      '-md',
      digest,
      ...issuer,
      '-in',
      `${name}.csr`,
      '-out',
      `${name}.pem`,
      '-startdate',
      time(fromDays),
      '-enddate',
      time(toDays),
    );
    const [certFile, keyFile] = [
      join(this.directory, `${name}.pem`),
      join(this.directory, `${name}.key`),
    ];
    return {
      certFile,
      keyFile,
      cert: readFileSync(certFile, 'utf8'),
      key: readFileSync(keyFile, 'utf8'),
    };
  }

  /** Removes all its files. */
  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  #openssl(...args: string[]): void {
    const { status, stderr, error } = spawnSync('openssl', args, {
      cwd: this.directory,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`openssl ${args[0]}: ${error?.message ?? stderr}`);
  }
}
