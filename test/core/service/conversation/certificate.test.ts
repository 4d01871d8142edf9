import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  certificateFacts,
  chainOf,
  inspectChain,
  judgeCertificate,
} from '../../../../src/core/service/conversation/certificate.js';
import {
  loadTlsContext,
  type TlsContext,
} from '../../../../src/core/service/conversation/tls-context.js';
import {
  type ChainFacts,
  judgeVerdict,
  SHORT_KEY,
  SHORT_KEY_ABOVE,
  VERDICT_WORDS,
  WEAK_HASH,
} from '../../../../src/core/service/conversation/verdict-words.js';
import type { CertificateFacts } from '../../../../src/core/facts/service-finding.js';
import {
  type CertificateWishes,
  TestAuthority,
  type TestCertificate,
} from '../../../support/certificates.js';
import { startTlsServer } from '../../../support/fake-servers.js';
import { describeWith } from '../../../support/tools.js';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 2, 4);
const facts: CertificateFacts = {
  subject: 'CN=a.test',
  issuer: 'CN=Some Authority',
  names: ['a.test'],
  validFrom: NOW - DAY,
  validTo: NOW + 10 * DAY,
  daysLeft: 10,
};
const CHAIN = {
  isSelfSigned: false,
  authority: 'CN=Top Authority',
  unfit: null,
  shortKey: null,
  shortKeyAbove: null,
} satisfies ChainFacts;
/** Judges with a verdict on the chain, null if it is good. */
const judge = (
  own: Partial<CertificateFacts>,
  verdict: string | null,
  { host = null, ...chain }: Partial<ChainFacts & { host: string | null }> = {},
) =>
  judgeCertificate(
    { ...facts, ...own },
    { chain: verdict === null ? null : { verdict, ...CHAIN, ...chain }, host, nowMs: NOW },
  );
const FIRST = ' (fix this first; only then can its issuer be checked)';
const FIRST_SELF = ' (fix this first; it is self-signed, and only then can its trust be checked)';

describe('a certificate', () => {
  it('that is good has no problems', () => {
    expect(judge({}, null)).toEqual([]);
  });

  it.each<[string, Partial<ChainFacts>, string, string]>([
    ['DEPTH_ZERO_SELF_SIGNED_CERT', {}, 'self-signed', 'the certificate is self-signed'],
    [
      'SELF_SIGNED_CERT_IN_CHAIN',
      {},
      'unknown-authority',
      'the authority of the certificate is not trusted here (CN=Top Authority)',
    ],
    ...['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'].map(
      (verdict): [string, Partial<ChainFacts>, string, string] => [
        verdict,
        {},
        'unknown-authority',
        'the authority of the certificate is not known here (CN=Top Authority), or the server ' +
          'did not send an intermediate certificate',
      ],
    ),
    [
      'CERT_HAS_EXPIRED',
      {},
      'untrusted',
      `a certificate above it in the chain has expired${FIRST}`,
    ],
    [
      'CERT_NOT_YET_VALID',
      {},
      'untrusted',
      `a certificate above it in the chain is not valid yet${FIRST}`,
    ],
    [
      'ERROR_IN_CERT_NOT_AFTER_FIELD',
      {},
      'untrusted',
      `a certificate above it in the chain has an unreadable date${FIRST}`,
    ],
    [
      'INVALID_PURPOSE',
      {},
      'untrusted',
      'the certificate, or one above it in the chain, has a key usage that does not allow ' +
        `servers${FIRST}`,
    ],
    [
      'INVALID_PURPOSE',
      { unfit: 'own-purpose', isSelfSigned: true },
      'untrusted',
      `the certificate may not be used for servers${FIRST_SELF}`,
    ],
    [
      'INVALID_CA',
      {},
      'untrusted',
      `a certificate above it in the chain may not issue certificates${FIRST}`,
    ],
    [
      'EE certificate key too weak',
      { shortKey: 'has a key' },
      'weak',
      `the certificate has a key${FIRST}`,
    ],
    [
      'EE certificate key too weak',
      {},
      'weak',
      `the certificate has a key that is too short today${FIRST}`,
    ],
    [
      'CA certificate key too weak',
      { shortKeyAbove: 'has a key' },
      'weak',
      `a certificate above it in the chain has a key${FIRST}`,
    ],
    [
      'CA certificate key too weak',
      {},
      'weak',
      'an authority above the certificate, which the server did not send, has a key that is too ' +
        `short today${FIRST}`,
    ],
    ['CERT_REVOKED', {}, 'untrusted', `the certificate has been revoked${FIRST}`],
    [
      'no words for this',
      {},
      'untrusted',
      `the certificate cannot be verified (OpenSSL: no words for this)${FIRST}`,
    ],
  ])('with the verdict "%s" of OpenSSL and %j is %s', (verdict, chain, failure, problem) => {
    expect(judge({}, verdict, chain)).toEqual([{ failure, problem }]);
  });

  it.each([
    [0.5, 'less than a day'],
    [1, '1 day'],
    [12.9, '12 days'],
  ])('that expired %d days ago is reported once', (days, words) => {
    expect(judge({ validTo: NOW - days * DAY }, 'CERT_HAS_EXPIRED')).toEqual([
      { failure: 'expired', problem: `the certificate expired ${words} ago${FIRST}` },
    ]);
  });

  it('that is valid only later is reported with its start', () => {
    expect(judge({ validFrom: NOW + DAY }, 'CERT_NOT_YET_VALID')).toEqual([
      {
        failure: 'not-yet-valid',
        problem: `the certificate is not valid before 2026-03-05T00:00:00.000Z${FIRST}`,
      },
    ]);
  });

  it.each<Partial<CertificateFacts>>([{ validTo: null, daysLeft: null }, { validFrom: null }])(
    'with an unreadable date is reported once: %j',
    (dates) => {
      expect(judge(dates, 'ERROR_IN_CERT_NOT_AFTER_FIELD')).toEqual([
        { failure: 'untrusted', problem: `the certificate has an unreadable date${FIRST}` },
      ]);
    },
  );

  it('that is expired and self-signed is not called untrusted', () => {
    expect(judge({ validTo: NOW - DAY }, 'CERT_HAS_EXPIRED', { isSelfSigned: true })).toEqual([
      { failure: 'expired', problem: `the certificate expired 1 day ago${FIRST_SELF}` },
    ]);
  });

  it('with several problems is reported with all, the date first', () => {
    const all = judge({ validTo: NOW - DAY }, 'permitted subtree violation', {
      shortKey: 'has a short key',
      host: 'b.test',
    });
    expect(all.map(({ failure, problem }) => [failure, problem])).toEqual([
      ['expired', `the certificate expired 1 day ago${FIRST}`],
      [
        'untrusted',
        'the certificate has a name that an authority above it may not issue (name constraints)',
      ],
      ['weak', 'the certificate has a short key'],
      ['wrong-name', 'the certificate is not for b.test but for a.test'],
    ]);
  });

  it.each<[string[], string, string]>([
    [['a.test', 'b.test'], 'CN=a.test', ' but for a.test, b.test'],
    [[], 'CN=a.test', ' but for CN=a.test'],
    [[], '', '; it names no host'],
    [['1', '2', '3', '4', '5', '6'], '', ' but for 1, 2, 3, 4, 5 …'],
  ])('for another host is reported with its own names: %j', (names, subject, words) => {
    expect(judge({ names, subject }, null, { host: 'x.test' })).toEqual([
      { failure: 'wrong-name', problem: `the certificate is not for x.test${words}` },
    ]);
  });
});

describeWith(['openssl', 'python3'], 'the words for verdicts', () => {
  const SCRIPT = `
import ctypes
text = ctypes.CDLL('libcrypto.so.3').X509_verify_cert_error_string
text.restype = ctypes.c_char_p
print('\\n'.join(sorted({text(code).decode() for code in range(1, 200)})))`;
  const readTexts = (): string[] => {
    const { stdout, stderr } = spawnSync('python3', ['-c', SCRIPT], { encoding: 'utf8' });
    expect(stderr).toBe('');
    return stdout.trim().split('\n');
  };

  it("have OpenSSL's own spelling", () => {
    const texts = readTexts();
    expect(texts).toContain('certificate has expired'); // one that Node has a code for
    const spelt = Object.keys(VERDICT_WORDS).filter((key) => !/^[A-Z_]+$/.test(key));
    expect(spelt.length).toBeGreaterThan(8);
    for (const text of [SHORT_KEY, SHORT_KEY_ABOVE, WEAK_HASH, ...spelt])
      expect(texts).toContain(text);
  });

  it('are there for each of its codes: our own, or those of OpenSSL', () => {
    const texts = readTexts();
    expect(texts.length).toBeGreaterThan(80);
    const levels = [SHORT_KEY, SHORT_KEY_ABOVE, WEAK_HASH];
    for (const text of texts) {
      const isOurs = Object.hasOwn(VERDICT_WORDS, text) || levels.includes(text);
      const { problem } = judgeVerdict(text, CHAIN);
      expect(problem).toMatch(/^(the|a|an) [a-z]/);
      expect(problem.includes(`(OpenSSL: ${text})`)).toBe(!isOurs);
    }
  });
});

describeWith('openssl', 'the facts of a certificate', () => {
  let authority: TestAuthority;
  beforeAll(() => {
    authority = new TestAuthority();
  });
  afterAll(() => authority.remove());

  it('are subject, issuer, names of every kind, and days', () => {
    const { cert } = authority.issue({
      commonName: 'mail.example.com',
      altNames: 'DNS:mail.example.com,DNS:*.example.com,IP:192.0.2.1,IP:2001:db8::1,email:a@b.test',
      toDays: 30,
    });
    const read = certificateFacts(new X509Certificate(cert), Date.now());
    expect(read).toMatchObject({
      subject: 'CN=mail.example.com',
      issuer: 'CN=Authority of the Tests',
      names: ['mail.example.com', '*.example.com', '192.0.2.1', '2001:DB8:0:0:0:0:0:1'],
      daysLeft: 29,
    });
    expect(Math.abs(Number(read.validTo) - Number(read.validFrom) - 30 * DAY)).toBeLessThan(5000);
    expect(certificateFacts(new X509Certificate(cert), Date.now() + 31 * DAY).daysLeft).toBe(-2);
  });

  it('have names as they are, also those that Node quotes', () => {
    const { raw } = new X509Certificate(
      authority.issue({ altNames: 'DNS:a1b2.example.com,DNS:c1DNS.evil' }).cert,
    );
    for (const [plain, odd] of [
      ['a1b2', 'a"b\\'],
      ['c1DNS.evil', 'c, DNS:evi'],
    ] as const)
      raw.write(odd, raw.indexOf(plain), 'latin1');
    expect(certificateFacts(new X509Certificate(raw), Date.now()).names).toEqual([
      'a"b\\.example.com',
      'c, DNS:evi',
    ]);
  });

  it('have no names where there are none, and one line for a subject of several attributes', () => {
    const { cert } = authority.issue({ commonName: 'a/O=b', selfSigned: true });
    expect(certificateFacts(new X509Certificate(cert), Date.now())).toMatchObject({
      names: [],
      subject: 'CN=a, O=b',
    });
  });
});

describeWith('openssl', 'the chain of a certificate', () => {
  let authority: TestAuthority;
  let context: TlsContext;
  beforeAll(async () => {
    authority = new TestAuthority();
    context = await loadTlsContext();
  });
  afterAll(() => authority.remove());

  /** What a client sees of a server that sends these certificates. */
  const receive = async (
    leaf: TestCertificate,
    ...above: readonly TestCertificate[]
  ): Promise<X509Certificate> => {
    const { port } = await startTlsServer({
      cert: [leaf, ...above].map(({ cert }) => cert).join('\n'),
      key: leaf.key,
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    const client = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    onTestFinished(() => void client.destroy());
    await once(client, 'secureConnect');
    const own = client.getPeerX509Certificate();
    if (!own) throw new Error('there is no certificate');
    return own;
  };

  it('is ordered by issuer, however it was sent, without strangers', async () => {
    const upper = authority.issue({ commonName: 'Upper', isAuthority: true });
    const lower = authority.issue({ commonName: 'Lower', isAuthority: true, by: upper });
    const leaf = authority.issue({ by: lower });
    const own = await receive(leaf, authority.issue({ commonName: 'Stranger' }), upper, lower);
    expect(chainOf(own).map(({ subject }) => subject)).toEqual([
      'CN=mail.example.com',
      'CN=Lower',
      'CN=Upper',
    ]);
    expect(inspectChain(context, own, 'any')).toEqual({
      ...CHAIN,
      authority: 'CN=Authority of the Tests',
    });
  });

  it('has short keys where OpenSSL finds them too short', async () => {
    const above = authority.issue({ commonName: 'Between', isAuthority: true, rsaBits: 1024 });
    const short = /^has an RSA key of 1024 bits, which is too short today; 2048 bits are enough$/;
    const own = await receive(authority.issue({ by: above, rsaBits: 1024 }), above);
    expect(inspectChain(context, own, SHORT_KEY_ABOVE)).toMatchObject({
      shortKey: expect.stringMatching(short) as string,
      shortKeyAbove: expect.stringMatching(short) as string,
    });
    expect(inspectChain(context, own, WEAK_HASH).shortKeyAbove).toBeNull();
    // 112 bits of security, by OpenSSL's formula.
    const longer = await receive(authority.issue({ rsaBits: 2040 }));
    expect(inspectChain(context, longer, SHORT_KEY_ABOVE)).toMatchObject({
      shortKey: null,
      shortKeyAbove: null,
    });
  });

  it('is unfit where a certificate in it is not made for its place', async () => {
    const issue = (wishes: CertificateWishes): TestCertificate =>
      authority.issue({ rsaBits: 1024, ...wishes });
    const unfit = async (leaf: CertificateWishes, above?: CertificateWishes) => {
      const by = above && issue({ commonName: 'Between', ...above });
      const own = await receive(issue({ ...leaf, ...(by ? { by } : {}) }), ...(by ? [by] : []));
      return inspectChain(context, own, 'any').unfit;
    };
    const isAuthority = true;
    expect(await unfit({})).toBeNull();
    expect(await unfit({ purpose: 'serverAuth' }, { isAuthority })).toBeNull();
    expect(await unfit({}, { isAuthority, purpose: 'clientAuth,serverAuth' })).toBeNull();
    expect(await unfit({ purpose: 'anyExtendedKeyUsage' })).toBe('own-purpose');
    expect(await unfit({ purpose: 'clientAuth' }, { isAuthority })).toBe('own-purpose');
    expect(await unfit({}, { isAuthority, purpose: 'clientAuth' })).toBe('purpose-above');
    expect(await unfit({}, { purpose: 'clientAuth' })).toBe('no-authority');
  });

  it('is inspected although OpenSSL does not know the kind of its key', () => {
    const { raw } = new X509Certificate(authority.issue({ selfSigned: true }).cert);
    const inspect = (bytes: Buffer): ChainFacts =>
      inspectChain(context, new X509Certificate(bytes), 'any');
    expect(inspect(raw)).toMatchObject({ isSelfSigned: true, shortKey: null });
    const key = raw.indexOf(Buffer.from('2a864886f70d010101', 'hex')); // rsaEncryption
    raw[key + 8] = 0x7e;
    expect(inspect(raw)).toMatchObject({ isSelfSigned: false, shortKey: null });
  });
});
