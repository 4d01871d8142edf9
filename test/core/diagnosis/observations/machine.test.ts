import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import {
  isDirectlyAttached,
  isOwnAddress,
  proxyFor,
  sourceAddressFor,
} from '../../../../src/core/diagnosis/observations/machine.js';

describe('the proxy of the environment', () => {
  const https = { host: 'db.example', port: 443 };

  it('is that of the port before that of all ports', () => {
    const env = {
      https_proxy: 'http://proxy.example:3128',
      HTTP_PROXY: 'other:1',
      ALL_PROXY: 'socks5://all.example:1080',
    };
    expect(proxyFor(https, env)).toEqual({ variable: 'https_proxy', proxy: 'proxy.example:3128' });
    expect(proxyFor({ ...https, port: 80 }, env)).toEqual({
      variable: 'HTTP_PROXY',
      proxy: 'other:1',
    });
    expect(proxyFor({ ...https, port: 5432 }, env)).toEqual({
      variable: 'ALL_PROXY',
      proxy: 'all.example:1080',
    });
  });

  it('is reported without user and password', () => {
    expect(
      proxyFor(https, { HTTPS_PROXY: 'http://user:p@ss@proxy.example:3128/path?query' })?.proxy,
    ).toBe('proxy.example:3128');
    expect(proxyFor(https, { HTTPS_PROXY: 'user:secret@proxy.example:3128' })?.proxy).toBe(
      'proxy.example:3128',
    );
  });

  it('is null if none is set or NO_PROXY excludes the host', () => {
    expect(proxyFor(https, {})).toBeNull();
    expect(proxyFor(https, { HTTPS_PROXY: '' })).toBeNull();
    for (const list of ['*', 'db.example', 'localhost, .example', 'example:443', '*.example'])
      expect(proxyFor(https, { HTTPS_PROXY: 'proxy', NO_PROXY: list })).toBeNull();
    for (const list of ['', 'b.example', 'db.example.com', 'localhost'])
      expect(proxyFor(https, { HTTPS_PROXY: 'proxy', NO_PROXY: list })).not.toBeNull();
  });
});

describe('the source address', () => {
  it('is the one that the system chooses', async () => {
    expect(await sourceAddressFor({ address: '127.0.0.1', family: 4 })).toBe('127.0.0.1');
  });
});

describe('an address of this machine', () => {
  it('is known in any spelling, with a zone and mapped into IPv6', async () => {
    for (const address of ['127.0.0.1', '127.9.9.9'])
      expect(await isOwnAddress({ address, family: 4 })).toBe(true);
    for (const address of ['::1', '0:0:0::1', '::1%lo', '::ffff:127.0.0.1', '::FFFF:7f00:1'])
      expect(await isOwnAddress({ address, family: 6 })).toBe(true);
  });

  it('is no address of another machine', async () => {
    expect(await isOwnAddress({ address: '198.18.0.1', family: 4 })).toBe(false);
    expect(await isOwnAddress({ address: '2001:2::1', family: 6 })).toBe(false);
  });
});

describe('a directly attached network', () => {
  it('is that of each own interface, with loopback', () => {
    for (const address of ['127.0.0.1', '127.200.0.1'])
      expect(isDirectlyAttached({ address, family: 4 })).toBe(true);
    expect(isDirectlyAttached({ address: '::ffff:127.0.0.1', family: 6 })).toBe(true);
    for (const { address, family, cidr } of Object.values(networkInterfaces()).flatMap(
      (all) => all ?? [],
    ))
      if (cidr !== null)
        expect(isDirectlyAttached({ address, family: family === 'IPv6' ? 6 : 4 })).toBe(true);
  });

  it('is none with an address for tests of performance', () => {
    expect(isDirectlyAttached({ address: '198.18.0.1', family: 4 })).toBe(false);
    expect(isDirectlyAttached({ address: '2001:2::1', family: 6 })).toBe(false);
  });
});
