import { Resolver } from 'node:dns';
import { describe, expect, it } from 'vitest';
import {
  checkSourceFamily,
  parseDnsServer,
  parseSourceAddress,
  splitAddress,
} from '../../../src/core/target/address-parameters.js';
import { UsageError } from '../../../src/core/usage-error.js';

describe('splitAddress', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1', null],
    ['192.0.2.1:53', '192.0.2.1', '53'],
    ['192.0.2.1:', '192.0.2.1', ''],
    ['2001:db8::1', '2001:db8::1', null],
    ['::', '::', null],
    ['[2001:db8::1]', '2001:db8::1', null],
    ['[2001:db8::1]:53', '2001:db8::1', '53'],
    ['[fe80::1%eth0]:53', 'fe80::1%eth0', '53'],
    [':9991', null, '9991'],
  ])('splits %s', (text, address, port) => {
    expect(splitAddress(text)).toEqual({ address, port });
  });

  it.each([
    '',
    'db',
    'db:53',
    '[]',
    '[]:53',
    '[192.0.2.1]:53',
    '[::1',
    '[::1]53',
    '::1]:53',
    '::1:x',
    '192.0.2.1:1:2',
  ])('refuses %j', (text) => expect(splitAddress(text)).toBeNull());
});

describe('parseSourceAddress', () => {
  it.each(['192.0.2.1', '2001:db8::1', 'fe80::1%eth0'])('accepts %s', (text) => {
    expect(parseSourceAddress(text, '--source')).toBe(text);
  });

  it.each(['', 'db', '127.1', '[::1]', '192.0.2.1:1'])('refuses %j', (text) => {
    expect(() => parseSourceAddress(text, 'source')).toThrow(
      new UsageError(
        `source: "${text}" is not an address; allowed: an IPv4 or IPv6 address of this machine`,
      ),
    );
  });
});

describe('parseDnsServer', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.1:5353', '192.0.2.1:5353'],
    ['192.0.2.1:053', '192.0.2.1:53'],
    ['2001:db8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:53', '[2001:db8::1]:53'],
  ])('reads %s as %s, which Node accepts', (text, server) => {
    expect(parseDnsServer(text, '--dns')).toBe(server);
    new Resolver().setServers([server]);
  });

  it.each(['', ':53', 'ns.example', '192.0.2.1:', '192.0.2.1:0', '[::1]:65536', '[192.0.2.1]:53'])(
    'refuses %j',
    (text) => {
      expect(() => parseDnsServer(text, 'dns')).toThrow(
        new UsageError(
          `dns: "${text}" is not the address of a DNS server; ` +
            'allowed: an address, or address:port with a port from 1 to 65535',
        ),
      );
    },
  );
});

describe('checkSourceFamily', () => {
  it.each([
    [undefined, 4],
    ['::1', undefined],
    ['::1', 6],
    ['127.0.0.1', 4],
  ] as const)('accepts the source %s for the family %s', (source, family) => {
    expect(() => checkSourceFamily(source, family, '--source')).not.toThrow();
  });

  it('refuses a source address of the other family', () => {
    expect(() => checkSourceFamily('::1', 4, '--source')).toThrow(
      new UsageError(
        '--source: ::1 is an IPv6 address, but only IPv4 is probed; allowed: an IPv4 address',
      ),
    );
  });
});
