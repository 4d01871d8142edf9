import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How keys are made: the options of `openssl genpkey`. Each is made once. */
const KEYS = {
  a: 'ec P-256',
  b: 'ec P-256',
  c: 'ec P-256',
  p192: 'ec prime192v1',
  p224: 'ec secp224r1',
  p384: 'ec P-384',
  p521: 'ec P-521',
  k256: 'ec secp256k1',
  brainpool: 'ec brainpoolP256r1',
  ed25519: 'ed25519',
  ed448: 'ed448',
  rsa: 'rsa 2048',
  rsa1024: 'rsa 1024',
  rsa1536: 'rsa 1536',
  rsa2040: 'rsa 2040',
  rsa3072: 'rsa 3072',
  pss: 'rsa-pss 2048',
} as const;
export type KeyName = keyof typeof KEYS;

/** A certificate to make. */
export interface CertificateSpec {
  /** Its own key. Default: `a`. */
  readonly key?: KeyName;
  /** The name of the issuing certificate; default: itself. */
  readonly by?: string | undefined;
  /** `CN=…`; default: the name in the table. */
  readonly subject?: string;
  /** Lines of an extension section of openssl's. */
  readonly extensions?: readonly string[];
  /** Validity in days from now; default -1 and 90. */
  readonly days?: readonly [from: number, to: number];
  /** Default: `sha256`. */
  readonly digest?: string;
  /** Sign with RSA-PSS. */
  readonly pss?: boolean;
  /** Turn a bit of the signature. */
  readonly broken?: boolean;
}

/** Makes certificates from a table with openssl, in a temporary directory. */
export class Pki {
  readonly directory = mkdtempSync(join(tmpdir(), 'portping-pki-'));

  /** @param specs issuers before those that they issue */
  constructor(readonly specs: Readonly<Record<string, CertificateSpec>>) {
    writeFileSync(join(this.directory, 'index.txt'), '');
    writeFileSync(
      join(this.directory, 'ca.cnf'),
      '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nnew_certs_dir=.\npolicy=p\n' +
        'unique_subject=no\nrand_serial=yes\n[p]\ncommonName=optional\n',
    );
    const used = new Set(Object.values(specs).map(({ key = 'a' }) => key));
    for (const key of used) this.#makeKey(key);
    for (const [name, spec] of Object.entries(specs)) this.#issue(name, spec);
  }

  /** A certificate, or the key of one, as PEM. */
  read(name: string): string {
    return readFileSync(join(this.directory, `${name}.pem`), 'utf8');
  }

  /** The key of a certificate, as PEM. */
  keyOf(name: string): string {
    return readFileSync(join(this.directory, `${this.specs[name]?.key ?? 'a'}.key`), 'utf8');
  }

  /** Removes all files. */
  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  #makeKey(name: KeyName): void {
    const [algorithm = '', size] = KEYS[name].split(' ');
    const option = algorithm === 'ec' ? 'ec_paramgen_curve' : 'rsa_keygen_bits';
    this.#openssl(
      ['genpkey', '-algorithm', algorithm, '-out', `${name}.key`],
      size === undefined ? [] : ['-pkeyopt', `${option}:${size}`],
    );
    this.#openssl(['req', '-new', '-key', `${name}.key`, '-subj', '/CN=x', '-out', `${name}.csr`]);
  }

  #issue(name: string, spec: CertificateSpec): void {
    const { key = 'a', by, subject = `CN=${name}`, days = [-1, 90], digest = 'sha256' } = spec;
    const time = (offset: number): string =>
      new Date(Date.now() + offset * 86_400_000).toISOString().replace(/[-:T]|\.\d+/g, '');
    const signer = by === undefined ? key : (this.specs[by]?.key ?? 'a');
    writeFileSync(
      join(this.directory, `${name}.ext`),
      [...(spec.extensions ?? []), 'subjectKeyIdentifier=hash', ''].join('\n'),
    );
    this.#openssl(
      ['ca', '-batch', '-config', 'ca.cnf', '-notext', '-in', `${key}.csr`],
      ['-out', `${name}.pem`, '-extfile', `${name}.ext`, '-keyfile', `${signer}.key`],
      ['-subj', `/${subject}`, '-md', /^ed/.test(signer) ? 'null' : digest],
      ['-startdate', time(days[0]), '-enddate', time(days[1])],
      by === undefined ? ['-selfsign'] : ['-cert', `${by}.pem`],
      spec.pss ? ['-sigopt', 'rsa_padding_mode:pss'] : [],
    );
    if (spec.broken) this.#breakSignature(name);
  }

  #breakSignature(name: string): void {
    const der = Buffer.from(this.read(name).replace(/-----.*-----/g, ''), 'base64');
    der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1);
    const lines = der.toString('base64').replace(/.{64}/g, '$&\n');
    writeFileSync(
      join(this.directory, `${name}.pem`),
      `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    );
  }

  #openssl(...words: (readonly string[])[]): void {
    const args = words.flat();
    const { status, stderr } = spawnSync('openssl', args, {
      cwd: this.directory,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
  }
}
