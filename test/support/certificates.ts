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

/** What a certificate is to say. */
export interface CertificateWishes {
  readonly commonName?: string;
  /** `DNS:mail.example.com,IP:127.0.0.1` */
  readonly altNames?: string;
  /** Days from now until it begins and ends to be valid; 0 and 90 unless given. */
  readonly fromDays?: number;
  readonly toDays?: number;
  readonly selfSigned?: boolean;
  /** `sha1`; `sha256` unless given. */
  readonly digest?: string;
  /** 2048 unless given. */
  readonly rsaBits?: number;
  /** Whether it may issue others. */
  readonly isAuthority?: boolean;
  /** What its key is for (extended key usage): `serverAuth`, `clientAuth`; anything unless given. */
  readonly purpose?: string;
  /** Who issues it instead of the authority itself. */
  readonly by?: TestCertificate;
}

/** An authority of the tests' own, made with openssl in a directory of its own. */
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
      `[ca]\ndefault_ca=d\n[d]\ndatabase=${this.directory}/index.txt\nnew_certs_dir=${this.directory}\ncertificate=ca.pem\nprivate_key=ca.key\npolicy=p\ncopy_extensions=copy\nunique_subject=no\ndefault_md=sha256\nrand_serial=yes\n[p]\ncommonName=supplied\norganizationName=optional\n`,
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

  /** Takes all of it away. */
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
