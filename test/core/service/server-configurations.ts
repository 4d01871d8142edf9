import type { TlsOptions } from 'node:tls';
import type { TlsFailure } from '../../../src/core/facts/service-finding.js';
import { type CertificateSpec, type KeyName } from '../../support/pki.js';

/** The judges that portping is compared with. */
export type Judge = 'openssl' | 'curl' | 'node';

/** A server, and what portping says about it. */
export interface Configuration {
  readonly name: string;
  /** The certificates that it sends, its own first. */
  readonly sends: readonly string[];
  readonly options?: TlsOptions;
  /** The name that clients ask for; default: the address 127.0.0.1. */
  readonly host?: string;
  readonly verdict: 'answered' | TlsFailure;
  /** The judges that disagree, and why. */
  readonly differs?: { readonly judges: readonly Judge[]; readonly why: string };
}

const CA = 'basicConstraints=critical,CA:TRUE';
const HERE = 'subjectAltName=IP:127.0.0.1,DNS:host.test';
/** A good certificate of the server's own, unless it says otherwise. */
const own = (spec: CertificateSpec = {}): CertificateSpec => ({
  by: 'root',
  ...spec,
  extensions: [HERE, ...(spec.extensions ?? [])],
});
const authority = (spec: CertificateSpec = {}): CertificateSpec => ({
  key: 'b',
  by: 'root',
  ...spec,
  extensions: [CA, ...(spec.extensions ?? [])],
});

type Row = readonly [
  name: string,
  spec: CertificateSpec,
  verdict: Configuration['verdict'],
  differs?: Configuration['differs'],
];

/** Kinds of keys of the server's own certificate. */
const keyRows = (
  [
    ['p192', 'handshake'],
    ['p224', 'handshake'],
    ['p384', 'answered'],
    ['p521', 'answered'],
    ['k256', 'handshake'],
    ['ed25519', 'answered'],
    ['ed448', 'answered'],
    ['rsa', 'answered'],
    ['rsa1024', 'weak'],
    ['rsa1536', 'weak'],
    ['rsa2040', 'answered'],
    ['rsa3072', 'answered'],
    ['pss', 'answered'],
  ] satisfies [KeyName, Configuration['verdict']][]
).map(([key, verdict]): Row => [`own key ${key}`, own({ key }), verdict]);

const DIGESTS: readonly [digest: string, isGood: boolean][] = [
  ['md5', false],
  ['sha1', false],
  ['sha224', true],
  ['sha256', true],
  ['sha384', true],
  ['sha512', true],
];

/** Hashes and paddings of the signature on the server's own certificate. */
const digestRows: Row[] = [
  ...DIGESTS.map(([digest, isGood]): Row => [
    `own certificate signed with RSA and ${digest}`,
    own({ by: 'rsa root', digest }),
    isGood ? 'answered' : 'weak',
  ]),
  ...DIGESTS.filter(([digest]) => digest !== 'md5').flatMap(([digest, isGood]): Row[] => [
    [
      `own certificate signed with RSA-PSS and ${digest}`,
      own({ by: 'rsa root', digest, pss: true }),
      isGood ? 'answered' : 'weak',
    ],
    [
      `own certificate signed with ECDSA and ${digest}`,
      own({ digest }),
      isGood ? 'answered' : 'weak',
    ],
  ]),
];

const purposeRows: Row[] = [
  ...(
    [
      ['serverAuth', 'answered'],
      ['clientAuth', 'untrusted'],
      ['serverAuth,clientAuth', 'answered'],
      ['anyExtendedKeyUsage', 'untrusted'],
      ['codeSigning', 'untrusted'],
      ['emailProtection,OCSPSigning', 'untrusted'],
    ] as const
  ).map(([usage, verdict]): Row => [
    `own extended key usage ${usage}`,
    own({ extensions: [`extendedKeyUsage=${usage}`] }),
    verdict,
  ]),
  ...(
    [
      ['digitalSignature', 'answered'],
      ['digitalSignature,keyEncipherment', 'answered'],
      ['keyAgreement', 'answered'],
      ['keyCertSign', 'untrusted'],
      ['cRLSign', 'untrusted'],
      ['nonRepudiation', 'untrusted'],
    ] as const
  ).map(([usage, verdict]): Row => [
    `own key usage ${usage}`,
    own({ extensions: [`keyUsage=critical,${usage}`] }),
    verdict,
  ]),
  ['own certificate of an authority', own({ extensions: [CA] }), 'answered'],
  [
    'own certificate with an unknown extension',
    own({ extensions: ['1.2.3.4=ASN1:NULL'] }),
    'answered',
  ],
  [
    'own certificate with an unknown critical extension',
    own({ extensions: ['1.2.3.4=critical,ASN1:NULL'] }),
    'untrusted',
  ],
  [
    'own certificate that must be stapled',
    own({ extensions: ['tlsfeature=status_request'] }),
    'answered',
  ],
  [
    'own certificate with a policy',
    own({ extensions: ['certificatePolicies=1.2.3.4.5'] }),
    'answered',
  ],
];

const dateRows: Row[] = [
  ['own certificate expired yesterday', own({ days: [-40, -1] }), 'expired'],
  ['own certificate expired long ago', own({ days: [-4000, -3000] }), 'expired'],
  ['own certificate valid from tomorrow', own({ days: [1, 90] }), 'not-yet-valid'],
  ['own certificate valid for a day', own({ days: [-1, 1] }), 'answered'],
  ['own certificate valid for 50 years', own({ days: [-1, 18_000] }), 'answered'],
  [
    'own certificate expired and with a key too short',
    own({ key: 'rsa1024', days: [-9, -1] }),
    'expired',
  ],
];

/** Certificates alone, each sent by a server of its own. */
const SINGLE: readonly Row[] = [
  ...keyRows,
  ...digestRows,
  ...purposeRows,
  ...dateRows,
  ['own certificate self-signed', own({ by: undefined }), 'self-signed'],
  [
    'own certificate self-signed with SHA-1',
    own({ by: undefined, digest: 'sha1', key: 'rsa' }),
    'self-signed',
  ],
  ['own certificate self-signed and expired', own({ by: undefined, days: [-9, -1] }), 'expired'],
  [
    'own certificate self-signed, for clients',
    own({ by: undefined, extensions: ['extendedKeyUsage=clientAuth'] }),
    'untrusted',
  ],
  ['own certificate of an unsent authority', own({ by: 'between' }), 'unknown-authority'],
  ['own certificate of an unknown root', own({ by: 'unknown root' }), 'unknown-authority'],
  ['own certificate of a short root', own({ by: 'short root' }), 'weak'],
  ['own certificate of a root with P-192', own({ by: 'p192 root' }), 'weak'],
  ['own certificate of a root signed with SHA-1', own({ by: 'sha1 root' }), 'answered'],
  ['own certificate of an expired root', own({ by: 'expired root' }), 'untrusted'],
  ['own certificate with a wrong signature', own({ broken: true }), 'untrusted'],
];

const PARTIAL: Configuration['differs'] = {
  judges: ['node'],
  why: 'Node matches a wildcard with a part of a label, which RFC 9525 forbids',
};

const PARTIAL_AT_AN_END: Configuration['differs'] = {
  judges: ['openssl', 'node'],
  why: 'openssl matches this, too; curl refuses it, as RFC 9525 says',
};

/** Names in the certificate, the name asked for, and whether it fits. */
const NAMES: readonly [
  altNames: string,
  host: string | undefined,
  fits: boolean,
  Configuration['differs']?,
][] = [
  ['IP:127.0.0.1', undefined, true],
  ['IP:127.0.0.2', undefined, false],
  ['IP:127.0.0.2,IP:127.0.0.1', undefined, true],
  ['DNS:127.0.0.1', undefined, false],
  ['DNS:host.test', undefined, false],
  ['DNS:host.test', 'host.test', true],
  ['DNS:HOST.test', 'host.test', true],
  ['DNS:host.test', 'HOST.test', true],
  ['DNS:other.test,DNS:host.test', 'host.test', true],
  ['DNS:other.test', 'host.test', false],
  ['DNS:host.test', 'a.host.test', false],
  ['DNS:a.host.test', 'host.test', false],
  ['DNS:*.host.test', 'a.host.test', true],
  ['DNS:*.host.test', 'host.test', false],
  ['DNS:*.host.test', 'a.b.host.test', false],
  ['DNS:a.*.test', 'a.host.test', false],
  ['DNS:*.*.test', 'a.host.test', false],
  ['DNS:*', 'host', false],
  ['DNS:xn--bcher-kva.test', 'xn--bcher-kva.test', true],
  ['email:host@host.test', 'host.test', false],
  ['URI:https://host.test', 'host.test', false],
  ['IP:127.0.0.1', 'host.test', false],
  ['DNS:*.test', 'host.test', false],
  ['DNS:h*.test', 'host.test', false],
  ['DNS:*t.test', 'host.test', false],
  ['DNS:h*t.a.test', 'host.a.test', false, PARTIAL],
  ['DNS:*t.a.test', 'host.a.test', false, PARTIAL_AT_AN_END],
  ['DNS:h*.a.test', 'host.a.test', false, PARTIAL_AT_AN_END],
  ['DNS:*.a.test', 'host.a.test', true],
  ['IP:127.0.0.1,DNS:host.test', 'host.test', true],
  ['DNS:*.host.test,DNS:host.test', 'host.test', true],
  ['DNS:*.host.test', 'xn--bcher-kva.host.test', true],
  ['DNS:host.test', 'host.tes', false],
];

/** Authorities between the root and the server's own certificate. */
const BETWEEN: readonly Row[] = [
  ['good', authority(), 'answered'],
  ['with an RSA key', authority({ key: 'rsa' }), 'answered'],
  ['with Ed25519', authority({ key: 'ed25519' }), 'answered'],
  ['with a short key', authority({ key: 'rsa1024' }), 'weak'],
  ['with P-192', authority({ key: 'p192' }), 'weak'],
  ['with P-224', authority({ key: 'p224' }), 'answered'],
  ['signed with SHA-1', authority({ digest: 'sha1' }), 'weak'],
  ['signed with RSA and MD5', authority({ by: 'rsa root', digest: 'md5' }), 'weak'],
  [
    'signed with RSA-PSS and SHA-1',
    authority({ by: 'rsa root', digest: 'sha1', pss: true }),
    'weak',
  ],
  ['signed with RSA-PSS and SHA-256', authority({ by: 'rsa root', pss: true }), 'answered'],
  ['expired', authority({ days: [-9, -1] }), 'untrusted'],
  ['valid from tomorrow', authority({ days: [1, 9] }), 'untrusted'],
  [
    'of no authority',
    { key: 'b', by: 'root', extensions: ['basicConstraints=critical,CA:FALSE'] },
    'untrusted',
  ],
  ['without basic constraints', { key: 'b', by: 'root' }, 'untrusted'],
  [
    'without the right to sign',
    authority({ extensions: ['keyUsage=critical,digitalSignature'] }),
    'untrusted',
  ],
  [
    'with the right to sign',
    authority({ extensions: ['keyUsage=critical,keyCertSign'] }),
    'answered',
  ],
  ['for servers', authority({ extensions: ['extendedKeyUsage=serverAuth'] }), 'answered'],
  ['for any use', authority({ extensions: ['extendedKeyUsage=anyExtendedKeyUsage'] }), 'untrusted'],
  ['for clients', authority({ extensions: ['extendedKeyUsage=clientAuth'] }), 'untrusted'],
  [
    'with an unknown critical extension',
    authority({ extensions: ['1.2.3.4=critical,ASN1:NULL'] }),
    'untrusted',
  ],
  [
    'for names that fit',
    authority({
      extensions: ['nameConstraints=critical,permitted;DNS:test,permitted;IP:127.0.0.0/255.0.0.0'],
    }),
    'answered',
  ],
  [
    'for other names',
    authority({ extensions: ['nameConstraints=critical,permitted;DNS:other.example'] }),
    'untrusted',
  ],
  [
    'for other addresses',
    authority({ extensions: ['nameConstraints=critical,permitted;IP:10.0.0.0/255.0.0.0'] }),
    'untrusted',
  ],
  [
    'not for these names',
    authority({ extensions: ['nameConstraints=critical,excluded;DNS:test'] }),
    'untrusted',
  ],
  [
    'not for these addresses',
    authority({ extensions: ['nameConstraints=critical,excluded;IP:127.0.0.0/255.0.0.0'] }),
    'untrusted',
  ],
  ['with a wrong signature', authority({ broken: true }), 'untrusted'],
  ['of a root that allows none', authority({ by: 'path root' }), 'untrusted'],
  ['of an unknown root', authority({ by: 'unknown root' }), 'unknown-authority'],
  ['of a short root', authority({ by: 'short root' }), 'weak'],
  ['that is self-signed', authority({ by: undefined }), 'unknown-authority'],
];

/** The trusted roots. */
export const ROOTS = [
  'root',
  'rsa root',
  'short root',
  'p192 root',
  'sha1 root',
  'expired root',
  'path root',
  'trusted self-signed',
  'trusted self-signed, expired',
];

/** All certificates, issuers first. */
export const CERTIFICATES: Readonly<Record<string, CertificateSpec>> = {
  root: authority({ by: undefined, key: 'c' }),
  'rsa root': authority({ by: undefined, key: 'rsa' }),
  'short root': authority({ by: undefined, key: 'rsa1024' }),
  'p192 root': authority({ by: undefined, key: 'p192' }),
  'sha1 root': authority({ by: undefined, key: 'rsa3072', digest: 'sha1' }),
  'expired root': authority({ by: undefined, key: 'c', days: [-9, -1] }),
  'path root': {
    key: 'c',
    extensions: ['basicConstraints=critical,CA:TRUE,pathlen:0'],
  },
  'trusted self-signed': own({ by: undefined }),
  'trusted self-signed, expired': own({ by: undefined, days: [-9, -1] }),
  'unknown root': authority({ by: undefined, key: 'p384' }),
  'old root': authority({ by: undefined, key: 'rsa1536' }),
  // The key and the name of a trusted root, signed by another authority.
  'cross-signed root': authority({ by: 'old root', key: 'c', subject: 'CN=root', digest: 'sha1' }),
  'expired cross-signed root': authority({
    by: 'old root',
    key: 'c',
    subject: 'CN=root',
    days: [-9, -1],
  }),
  between: authority(),
  'second between': authority({ by: 'between', key: 'c' }),
  own: own(),
  'own with RSA': own({ by: 'rsa root', key: 'rsa' }),
  'own below between': own({ by: 'between' }),
  'own below second between': own({ by: 'second between' }),
  'own below unknown root': own({ by: 'unknown root' }),
  'own below short root': own({ by: 'short root' }),
  'own without names': { by: 'root' },
  'own with a common name': { by: 'root', subject: 'CN=host.test' },
  'own with an address as common name': { by: 'root', subject: 'CN=127.0.0.1' },
  'own with another common name': {
    by: 'root',
    subject: 'CN=host.test',
    extensions: ['subjectAltName=DNS:other.test'],
  },
  ...Object.fromEntries(SINGLE.map(([name, spec]) => [name, spec])),
  ...Object.fromEntries(
    NAMES.map(([altNames], index) => [
      `names ${index}`,
      { by: 'root', subject: 'CN=x', extensions: [`subjectAltName=${altNames}`] },
    ]),
  ),
  ...Object.fromEntries(BETWEEN.map(([name, spec]) => [`authority ${name}`, spec])),
  ...Object.fromEntries(
    BETWEEN.map(([name]) => [`own below authority ${name}`, own({ by: `authority ${name}` })]),
  ),
};

const DHE_WHY =
  'Chromium and Firefox offer no DHE; with it, a server could choose a prime that blocks us';
const ALL_BUT_PORTPING: Configuration['differs'] = {
  judges: ['openssl', 'curl', 'node'],
  why: DHE_WHY,
};
const TLS12: TlsOptions = { maxVersion: 'TLSv1.2' };

const VERSIONS = (['own', 'own with RSA'] as const).flatMap((name): Configuration[] => [
  ...(['TLSv1', 'TLSv1.1'] as const).map((version): Configuration => ({
    name: `only ${version}, ${name}`,
    sends: [name],
    options: { minVersion: version, maxVersion: version },
    verdict: 'old-version',
  })),
  ...(['TLSv1.2', 'TLSv1.3'] as const).map((version): Configuration => ({
    name: `only ${version}, ${name}`,
    sends: [name],
    options: { minVersion: version, maxVersion: version },
    verdict: 'answered',
  })),
]);

const suites = (
  own: string,
  names: readonly string[],
  verdict: Configuration['verdict'],
  differs?: Configuration['differs'],
) =>
  names.map((ciphers): Configuration => ({
    name: `only ${ciphers}`,
    sends: [own],
    options: { ...TLS12, ciphers: `${ciphers}@SECLEVEL=0`, dhparam: 'auto' },
    verdict,
    ...(differs ? { differs } : {}),
  }));

const HANDSHAKES: readonly Configuration[] = [
  ...VERSIONS,
  ...suites(
    'own with RSA',
    [
      'ECDHE-RSA-AES128-GCM-SHA256',
      'ECDHE-RSA-AES256-GCM-SHA384',
      'ECDHE-RSA-CHACHA20-POLY1305',
      'ECDHE-RSA-AES128-SHA256',
      'ECDHE-RSA-AES256-SHA384',
      'ECDHE-RSA-AES128-SHA',
      'ECDHE-RSA-AES256-SHA',
      'AES128-GCM-SHA256',
      'AES256-GCM-SHA384',
      'AES128-SHA256',
      'AES128-SHA',
      'AES256-SHA',
    ],
    'answered',
  ),
  ...suites(
    'own',
    [
      'ECDHE-ECDSA-AES128-GCM-SHA256',
      'ECDHE-ECDSA-AES256-GCM-SHA384',
      'ECDHE-ECDSA-CHACHA20-POLY1305',
      'ECDHE-ECDSA-AES128-SHA',
    ],
    'answered',
  ),
  ...suites(
    'own with RSA',
    [
      'DHE-RSA-AES128-GCM-SHA256',
      'DHE-RSA-AES256-GCM-SHA384',
      'DHE-RSA-CHACHA20-POLY1305',
      'DHE-RSA-AES128-SHA',
    ],
    'handshake',
    ALL_BUT_PORTPING,
  ),
  ...['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'].map(
    (ciphers): Configuration => ({
      name: `only ${ciphers}`,
      sends: ['own'],
      options: { ciphers },
      verdict: 'answered',
    }),
  ),
  ...(
    [
      ['own with RSA', 'RSA+SHA1', 'weak'],
      ['own with RSA', 'RSA+SHA224', 'answered'],
      ['own with RSA', 'RSA+SHA256', 'answered'],
      ['own with RSA', 'RSA+SHA512', 'answered'],
      ['own with RSA', 'RSA-PSS+SHA256', 'answered'],
      ['own with RSA', 'RSA-PSS+SHA384', 'answered'],
      ['own', 'ECDSA+SHA1', 'weak'],
      ['own', 'ECDSA+SHA256', 'answered'],
      ['own', 'ECDSA+SHA384', 'answered'],
    ] as const
  ).map(([name, sigalgs, verdict]): Configuration => ({
    name: `only ${sigalgs} in TLS 1.2`,
    sends: [name],
    options: { ...TLS12, sigalgs },
    verdict,
  })),
  ...['X25519', 'P-256', 'P-384', 'P-521', 'X448'].flatMap((ecdhCurve) =>
    [TLS12, {}].map((options): Configuration => ({
      name: `only ${ecdhCurve} ${'maxVersion' in options ? 'in TLS 1.2' : 'up to TLS 1.3'}`,
      sends: ['own'],
      options: { ...options, ecdhCurve },
      verdict: 'answered',
    })),
  ),
  {
    name: 'asks for a client certificate',
    sends: ['own'],
    options: { requestCert: true, rejectUnauthorized: false },
    verdict: 'answered',
  },
  {
    name: 'requires a client certificate in TLS 1.2',
    sends: ['own'],
    options: { ...TLS12, requestCert: true, rejectUnauthorized: true },
    verdict: 'handshake',
  },
];

const CHAINS: readonly Configuration[] = [
  { name: 'root sent, too', sends: ['own', 'root'], verdict: 'answered' },
  { name: 'own certificate twice', sends: ['own', 'own'], verdict: 'answered' },
  { name: 'a stranger sent, too', sends: ['own', 'unknown root'], verdict: 'answered' },
  {
    name: 'a cross-signed root with SHA-1 above a trusted one',
    sends: ['own', 'cross-signed root'],
    verdict: 'answered',
  },
  {
    name: 'a cross-signed root and its root',
    sends: ['own', 'cross-signed root', 'old root'],
    verdict: 'answered',
  },
  {
    name: 'an expired cross-signed root',
    sends: ['own', 'expired cross-signed root'],
    verdict: 'answered',
  },
  {
    name: 'two authorities',
    sends: ['own below second between', 'second between', 'between'],
    verdict: 'answered',
  },
  {
    name: 'two authorities in the wrong order',
    sends: ['own below second between', 'between', 'second between'],
    verdict: 'answered',
  },
  {
    name: 'two authorities and the root',
    sends: ['own below second between', 'second between', 'between', 'root'],
    verdict: 'answered',
  },
  {
    name: 'the upper of two authorities missing',
    sends: ['own below second between', 'second between'],
    verdict: 'unknown-authority',
  },
  {
    name: 'the lower of two authorities missing',
    sends: ['own below second between', 'between'],
    verdict: 'unknown-authority',
  },
  {
    name: 'an unknown root sent',
    sends: ['own below unknown root', 'unknown root'],
    verdict: 'unknown-authority',
  },
  { name: 'a short root sent', sends: ['own below short root', 'short root'], verdict: 'weak' },
  {
    name: 'a trusted self-signed certificate',
    sends: ['trusted self-signed'],
    verdict: 'answered',
  },
  {
    name: 'a trusted self-signed certificate that expired',
    sends: ['trusted self-signed, expired'],
    verdict: 'expired',
  },
  { name: 'no names', sends: ['own without names'], host: 'host.test', verdict: 'wrong-name' },
  {
    name: 'a common name only',
    sends: ['own with a common name'],
    host: 'host.test',
    verdict: 'answered',
  },
  {
    name: 'another common name only',
    sends: ['own with a common name'],
    host: 'other.test',
    verdict: 'wrong-name',
  },
  {
    name: 'an address as common name',
    sends: ['own with an address as common name'],
    verdict: 'wrong-name',
    differs: {
      judges: ['curl'],
      why: 'curl takes an address from the common name; RFC 6125 and all others do not',
    },
  },
  {
    name: 'another common name than names',
    sends: ['own with another common name'],
    host: 'host.test',
    verdict: 'wrong-name',
  },
];

/** About 200 servers. */
export const CONFIGURATIONS: readonly Configuration[] = [
  ...HANDSHAKES,
  ...CHAINS,
  ...SINGLE.map(([name, , verdict, differs]): Configuration => ({
    name,
    sends: [name],
    verdict,
    ...(differs ? { differs } : {}),
  })),
  ...NAMES.map(([altNames, host, fits, differs], index): Configuration => ({
    name: `${altNames} asked for ${host ?? 'an address'}`,
    sends: [`names ${index}`],
    ...(host === undefined ? {} : { host }),
    verdict: fits ? 'answered' : 'wrong-name',
    ...(differs ? { differs } : {}),
  })),
  ...BETWEEN.map(([name, , verdict, differs]): Configuration => ({
    name: `an authority ${name}`,
    sends: [`own below authority ${name}`, `authority ${name}`],
    verdict,
    ...(differs ? { differs } : {}),
  })),
];
