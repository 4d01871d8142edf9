import fc from 'fast-check';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { UsageError } from '../../../src/core/usage-error.js';
import { AllowList } from '../../../src/exporter/access/allow-list.js';
import { CLOUD_METADATA, DEFAULT_RULES } from '../../../src/exporter/access/special-addresses.js';

/** Whether the rules permit a literal address. */
const literal = (rules: readonly string[], address: string, port = 80): boolean =>
  new AllowList(rules).permits(address, address, port);

/** Whether the rules permit a name at an address, on a machine with three addresses. */
const named = (rules: readonly string[], host: string, address: string, port = 80): boolean =>
  new AllowList(rules, () => ['198.51.100.7', '2001:db8::7', 'fe80::7%eth0']).permits(
    host,
    address,
    port,
  );

/** Metadata services of Amazon, Google, Oracle, Scaleway, Linode, Alibaba and Azure. */
const METADATA_SERVICES = [
  '169.254.169.254',
  'fd00:ec2::254',
  'fd20:ce::254',
  'fd00:c1::a9fe:a9fe',
  'fd00:42::42',
  'fd00:a9fe:a9fe::1',
  'fd00:100::100:200',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
];

describe('the default rules', () => {
  it.each([
    '127.0.0.1',
    '127.255.0.9',
    '::1',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.9.9',
    'fd00::1',
    'fc12::',
    '::ffff:10.0.0.1',
    '0:0:0:0:0:ffff:7f00:1',
  ])('permit %s', (address) => expect(literal([], address)).toBe(true));

  it.each([
    '8.8.8.8',
    '9.255.255.255',
    '11.0.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '192.169.0.0',
    '126.255.255.255',
    '128.0.0.0',
    '100.64.0.1',
    'fbff::1',
    'fe00::1',
    '::2',
    '0.0.0.0',
    '::',
    '255.255.255.255',
    '224.0.0.1',
    '2001:db8::1',
    'fec0::1',
    'ff02::1',
    '169.254.1.1',
    '169.254.169.254',
    'fe80::1%eth0',
    '::ffff:169.254.169.254',
    '::ffff:8.8.8.8',
    '::FFFF:0808:0808',
    '0:0:0:0:0:ffff:8.8.8.8',
    '::8.8.8.8',
    'fd00:ec2::254',
    'fd00:ec2::23',
    '64:ff9b::8.8.8.8',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '::127.0.0.1',
  ])('do not permit %s', (address) => expect(literal([], address)).toBe(false));

  it('permit a name only at permitted addresses', () => {
    expect(named([], 'db.example.com', '10.0.0.1')).toBe(true);
    expect(named([], 'db.example.com', '192.0.2.1')).toBe(false);
    expect(new AllowList([]).mayPermit('anything.example', 1)).toBe(true);
  });

  it('do not permit the metadata service of a cloud', () => {
    for (const address of METADATA_SERVICES) expect(literal([], address, 80), address).toBe(false);
  });

  it('are listed', () =>
    expect(new AllowList([])).toMatchObject({ isDefault: true, rules: DEFAULT_RULES }));
});

describe('a rule', () => {
  it('replaces the default rules', () => {
    expect(literal(['203.0.113.0/24'], '203.0.113.9')).toBe(true);
    expect(literal(['203.0.113.0/24'], '127.0.0.1')).toBe(false);
    expect(new AllowList(['db'])).toMatchObject({ isDefault: false, rules: ['db'] });
  });

  it.each([
    ['192.0.2.5', '192.0.2.5', 1, true],
    ['192.0.2.5', '192.0.2.5', 65_535, true],
    ['192.0.2.5', '192.0.2.6', 1, false],
    ['192.0.2.5:25,80-90', '192.0.2.5', 85, true],
    ['192.0.2.5:25,80-90', '192.0.2.5', 443, false],
    ['192.0.2.0/24:smtp', '192.0.2.200', 25, true],
    ['10.0.0.0/8', '::ffff:10.9.9.9', 1, true],
    ['::ffff:10.0.0.0/104', '10.9.9.9', 1, true],
    ['::ffff:10.0.0.0/104', '11.0.0.1', 1, false],
    ['::ffff:10.0.0.0/104', '9.255.255.255', 1, false],
    ['::ffff:192.0.2.5', '192.0.2.5', 1, true],
    ['::ffff:192.0.2.5', '192.0.2.4', 1, false],
    ['::ffff:0.0.0.0/96', '203.0.113.9', 1, true],
    ['::ffff:0.0.0.0/97', '128.0.0.1', 1, false],
    ['2001:db8::/32', '2001:db8:1::1', 1, true],
    ['[2001:db8::]/32:443', '2001:db8:1::1', 443, true],
    ['[2001:db8::]/32:443', '2001:db8:1::1', 80, false],
    ['[2001:db8::1]:443', '2001:db8::1', 443, true],
    ['[2001:db8::1]:443', '2001:db8::2', 443, false],
    ['0.0.0.0/0', '8.8.8.8', 53, true],
    ['::/0', '::ffff:8.8.8.8', 53, false], // that is an IPv4 address
    ['::/0', '2001:db8::1', 53, true],
  ] as const)('%s applied to %s port %i gives %s', (rule, address, port, permitted) =>
    expect(literal([rule], address, port)).toBe(permitted),
  );

  it.each([
    ['db.example.com', 'db.example.com', true],
    ['db.example.com', 'DB.Example.COM.', true],
    ['db.example.com', 'xdb.example.com', false],
    ['db.example.com', 'db-example.com', false],
    ['*.example.com', 'db.example.com', true],
    ['*.example.com', 'a.b.example.com', true],
    ['*.example.com', 'example.com', false],
    ['*.example.com', 'badexample.com', false],
    ['*.example.com', 'db.example.com.evil.test', false],
    ['db-*.example.com', 'db-12.example.com', true],
    ['db-*.example.com', 'db-1.evil.example.com', false],
    ['db.*.example.com', 'db.eu.example.com', true],
    ['db.*.example.com', 'dbevil.example.com', false],
    ['db.*.example.com', 'db.a.b.example.com', false],
    ['db.*', 'db.com', true],
    ['db.*', 'dbcom', false],
    ['db.*.', 'db.com', true],
    ['db-*.example.com.', 'db-1.example.com', true],
    ['*.example.com.', 'db.example.com', true],
    ['*-1.*.example.com', 'db-1.eu.example.com', true],
    ['*-1.*.example.com', 'db-1eu.example.com', false],
    ['*', 'whatever.test', true],
    ['*', '192.0.2.1', false], // an address is not a name
    ['münchen.example', 'xn--mnchen-3ya.example', true],
    ['db-*.münchen.example', 'db-1.xn--mnchen-3ya.example', true],
    ['münchen.*.example', 'xn--mnchen-3ya.db.example', true],
    ['münchen.*.example', 'xn--mnchen-3yadb.example', false],
  ] as const)('%s applied to the name %s gives %s', (rule, host, permitted) =>
    expect(named([rule], host, '192.0.2.1')).toBe(permitted),
  );

  it('is recommended without a zone, because rules have none', () => {
    const [, rule = ''] =
      /--allow (\S+) would/.exec(new AllowList([]).refusal('fe80::1%eth0', 22)) ?? [];
    expect(new AllowList([rule]).permits('fe80::1%eth0', 'fe80::1%eth0', 22)).toBe(true);
  });

  it('for names never permits this machine, its links or the metadata service of a cloud', () => {
    for (const address of [
      '127.0.0.1',
      '::1',
      '0.0.0.0',
      '::',
      'fe80::1%eth0',
      '::ffff:127.0.0.1',
      '198.51.100.7',
      '::ffff:198.51.100.7',
      '64:ff9b::c633:6407',
      '64:ff9b:1::c633:6407',
      '2001:db8::7',
      'fe80::7',
      ...METADATA_SERVICES,
      ...CLOUD_METADATA.map((block) => block.split('/', 1)[0] ?? ''),
    ]) {
      expect(named(['*'], 'evil.example.com', address), address).toBe(false);
    }
    expect(named(['*'], 'db.example.com', '10.0.0.1')).toBe(true);
    expect(named(['*', '169.254.0.0/16'], 'meta.example.com', '169.254.169.254')).toBe(true);
    for (const rule of ['localhost', 'LOCALHOST.'])
      for (const address of ['127.0.0.1', '127.9.9.9', '::1'])
        expect(named([rule], 'localhost', address), address).toBe(true);
    for (const address of ['169.254.169.254', '198.51.100.7', 'fd00:ec2::254', '::'])
      expect(named(['localhost'], 'localhost', address), address).toBe(false);
    for (const rule of ['*', 'local*', 'l*t'])
      expect(named([rule], 'localhost', '127.0.0.1'), rule).toBe(false);
    expect(named(['*'], 'localhost', '10.0.0.1')).toBe(true);
  });

  it.each(['127.0.0.1', '169.254.169.254', '198.51.100.7'])(
    'for names does not permit %s embedded in an IPv6 address',
    (ipv4) => {
      const [a = 0, b = 0, c = 0, d = 0] = ipv4.split('.').map(Number);
      const hex = `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
      for (const address of [
        `64:ff9b::${hex}`,
        `64:ff9b:1:2:3:4:${hex}`,
        `::${ipv4}`,
        `::ffff:0:${hex}`,
        `2002:${hex}::1`,
        `2002:${hex}:1:2:3:4:5`,
      ]) {
        expect(named(['*'], 'evil.example.com', address), address).toBe(false);
        expect(named(['*', '::/0'], 'evil.example.com', address), address).toBe(true);
      }
    },
  );

  it.each([
    ['0.255.255.255', '1.0.0.0'],
    ['127.255.255.255', '128.0.0.0'],
    ['127.0.0.0', '126.255.255.255'],
    ['169.254.0.0', '169.253.255.255'],
    ['169.254.255.255', '169.255.0.0'],
    ['fe80::', 'fe7f:ffff::'],
    ['febf:ffff::', 'fec0::'],
    ['fd00:ec2:ffff::', 'fd00:ec3::'],
  ])('for names never permits %s, but does permit its neighbour %s', (inside, outside) => {
    expect(named(['*'], 'db.example.com', inside)).toBe(false);
    expect(named(['*'], 'db.example.com', outside)).toBe(true);
  });

  it('for names permits an embedded address that it would permit by itself', () => {
    for (const address of [
      '64:ff9b::cb00:7105',
      '2002:cb00:7105::1',
      '2001:db8:127:0:0:1::',
      'fd00::1',
    ])
      expect(named(['*'], 'db.example.com', address), address).toBe(true);
    expect(literal(['64:ff9b::/96'], '203.0.113.5')).toBe(false);
  });

  it('for addresses permits even what a rule for names never does', () => {
    expect(literal(['fd00:ec2::254'], 'fd00:ec2::254')).toBe(true);
    expect(named(['*', '198.51.100.0/24'], 'own.example.com', '198.51.100.7')).toBe(true);
  });

  it('for names notices a new address of this machine within a second', () => {
    vi.useFakeTimers({ toFake: ['performance', 'hrtime'] });
    onTestFinished(() => void vi.useRealTimers());
    const own: string[] = [];
    const list = new AllowList(['*'], () => own);
    expect(list.permits('own.example.com', '10.9.9.1', 80)).toBe(true);
    own.push('10.9.9.1');
    vi.advanceTimersByTime(1000);
    expect(list.permits('own.example.com', '10.9.9.1', 80)).toBe(false);
  });

  it('for names asks for the addresses of this machine at most once a second', () => {
    vi.useFakeTimers({ toFake: ['performance', 'hrtime'] });
    onTestFinished(() => void vi.useRealTimers());
    let asked = 0;
    const list = new AllowList(['*'], () => {
      asked += 1;
      return [];
    });
    for (const advanceMs of [0, 999]) {
      vi.advanceTimersByTime(advanceMs);
      expect(list.permits('db.example.com', '10.9.9.1', 80)).toBe(true);
    }
    expect(asked).toBe(1);
  });

  it('for names never permits the addresses of the interfaces of this machine', () => {
    for (const { address } of Object.values(networkInterfaces()).flatMap((each) => each ?? []))
      expect(new AllowList(['*']).permits('own.example.com', address, 80), address).toBe(false);
  });

  it('for names rules out other names before they are resolved', () => {
    const list = new AllowList(['*.example.com:443']);
    expect(list.mayPermit('db.example.com', 443)).toBe(true);
    expect(list.mayPermit('db.example.com', 80)).toBe(false);
    expect(list.mayPermit('db.example.org', 443)).toBe(false);
  });

  it.each([
    '',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/x',
    '::1/129',
    '::ffff:10.0.0.0/8',
    'fe80::1%eth0',
    '10.0.0.1:0',
    '10.0.0.1:',
    'db:http:1',
    'a b',
    '*.example.com/24',
    '10.0.0.0/8/16',
    '10.0.0.0/32/x',
    '::/0/',
    '[::1',
    '[db]:1',
    'db:99999',
    '300.1.1.1',
  ])('%j is refused with a message that names --allow', (rule) =>
    expect(() => new AllowList([rule])).toThrow(
      expect.objectContaining({
        name: 'UsageError',
        message: expect.stringMatching(/^--allow: .*$/) as string,
      }) as Error,
    ),
  );

  it.each([
    ['10.0.0.*', 'looks like addresses; write a CIDR block'],
    ['300.1.1.1', 'is neither an address nor a host; allowed: '],
    ['[192.0.2.1]:80', 'has no IPv6 address in its brackets; allowed: '],
    ['10.0.0.0/x', 'has the prefix length "x"; allowed: 0 to 32'],
    ['10.0.0.0/', 'has the prefix length ""; allowed: 0 to 32'],
    ['10.*:443', 'looks like addresses; write a CIDR block'],
    ['*.0.0.*', 'looks like addresses; write a CIDR block'],
    ['*.', 'has nothing after its dot; write * for every name'],
    ['::ffff:10.0.0.0/95', 'allowed: a prefix length from 96 to 128, or 0.0.0.0/0 or ::/0'],
    ['10.0.0.0/33', 'has the prefix length "33"; allowed: 0 to 32'],
    ['::/129', 'has the prefix length "129"; allowed: 0 to 128'],
    ['mü*.example', 'has "mü*", but beside a star only ASCII letters'],
    ['*。example', 'has "*。example", but beside a star only ASCII letters'],
  ])('%s is refused because it does not mean what it seems to say', (rule, message) => {
    expect(() => new AllowList([rule])).toThrow(
      expect.objectContaining({
        name: 'UsageError',
        message: expect.stringContaining(`--allow: "${rule}" `) as string,
      }) as Error,
    );
    expect(() => new AllowList([rule])).toThrow(message);
  });

  it('fails only with a usage error, whatever its text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\d.:/[\]*a-f,-]{0,24}$/)), (rule) => {
        try {
          new AllowList([rule]).permits('db.example.com', '192.0.2.1', 1);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
    );
  });
});

it('an IPv4-mapped address has the same answer as the IPv4 address', () => {
  const mapped = ([a = 0, b = 0, c = 0, d = 0]: readonly number[]): string =>
    `::ffff:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 }),
      (bytes) => {
        expect(literal([], mapped(bytes))).toBe(literal([], bytes.join('.')));
      },
    ),
  );
});

describe('a refusal', () => {
  it('names the rule that would permit the target, and reveals no address of a name', () => {
    expect(new AllowList([]).refusal('8.8.8.8', 53)).toBe(
      '8.8.8.8:53 is not allowed here; --allow 8.8.8.8:53 would permit it',
    );
    expect(new AllowList([]).refusal('2001:db8::1', 53)).toBe(
      '[2001:db8::1]:53 is not allowed here; --allow [2001:db8::1]:53 would permit it',
    );
    expect(new AllowList([]).refusal('db.example.com', 53, ['203.0.113.4'])).toBe(
      'db.example.com:53 is not allowed here; --allow db.example.com:53, ' +
        'or a rule for its addresses, would permit it',
    );
    const ownRule = '--allow db.example.com:53, or a rule for its addresses, would permit it';
    for (const list of [new AllowList([]), new AllowList(['other.example.com'])])
      for (const addresses of [[], ['203.0.113.4', '127.0.0.1']])
        expect(list.refusal('db.example.com', 53, addresses)).toContain(ownRule);
    expect(new AllowList(['*']).refusal('evil.test', 53, ['127.0.0.1'])).toBe(
      "evil.test:53 is not allowed here: it leads to this machine, its links or a cloud's " +
        'metadata service, which no rule for names permits; ' +
        '--allow <address>:53 would permit it',
    );
  });

  it('names a rule that does permit the target', () => {
    for (const [host, address] of [
      ['8.8.8.8', '8.8.8.8'],
      ['2001:db8::1', '2001:db8::1'],
      ['db.example.com', '203.0.113.4'],
    ] as const) {
      const rule =
        /--allow ([^\s,]+),? /.exec(new AllowList([]).refusal(host, 53, [address]))?.[1] ?? '';
      expect(named([rule], host, address, 53)).toBe(true);
    }
  });

  it('never names a rule that was given, whatever the rules', () => {
    const hosts = [
      'db.example.com',
      'DB.example.com.',
      'münchen.example',
      'localhost',
      '203.0.113.4',
      '::ffff:203.0.113.4',
      'fe80::1%eth0',
      '2001:db8::7',
    ];
    const rules = [
      ...hosts.map((host) => host.replace(/%.*/, '')),
      '*',
      '*.example.com',
      'db.*.com',
      '203.0.113.0/24',
    ];
    const addresses = ['203.0.113.4', '198.51.100.7', '127.0.0.1', '2001:db8::9'];
    fc.assert(
      fc.property(
        fc.subarray(rules),
        fc.constantFrom(...hosts),
        fc.subarray(addresses, { minLength: 1 }),
        (some, host, found) => {
          const given = some.map((rule) => (rule.includes('::') ? `[${rule}]:53` : `${rule}:53`));
          const list = new AllowList(given, () => ['198.51.100.7', '2001:db8::7']);
          const all = isIP(host) === 0 ? found : [host];
          if (all.some((address) => list.permits(host, address, 53))) return;
          const [, named = ''] =
            /--allow (\S+:53)/.exec(list.refusal(host, 53, isIP(host) === 0 ? found : [])) ?? [];
          expect(given.map((rule) => rule.toLowerCase())).not.toContain(named.toLowerCase());
        },
      ),
    );
  });

  it('asks for a rule for addresses even if this machine has just lost the address', () => {
    vi.useFakeTimers({ toFake: ['performance', 'hrtime'] });
    onTestFinished(() => void vi.useRealTimers());
    const own = ['10.9.9.1'];
    const list = new AllowList(['db.example.com:53'], () => own);
    expect(list.permits('db.example.com', '10.9.9.1', 53)).toBe(false);
    own.pop();
    vi.advanceTimersByTime(1001);
    expect(list.refusal('db.example.com', 53, ['10.9.9.1'])).toContain('--allow <address>:53');
  });
});
