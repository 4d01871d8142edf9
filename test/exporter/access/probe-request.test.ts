import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SERVICE_NAMES } from '../../../src/core/service/registry.js';
import { chooseTimeout, readProbeRequest } from '../../../src/exporter/access/probe-request.js';
import { BUILT_IN_MODULES, type Modules } from '../../../src/exporter/config/modules.js';
import { Refusal } from '../../../src/exporter/access/refusal.js';

const read = (query: string, modules: Modules = BUILT_IN_MODULES) => {
  const { target, module, all } = readProbeRequest(new URLSearchParams(query), modules);
  return { target, timeoutMs: module.timeoutMs ?? null, all, service: module.service ?? null };
};

describe('the parameters of a probe', () => {
  it('are a target, a timeout, a service and whether to probe every address', () => {
    expect(read('target=db:5432')).toEqual({
      target: { host: 'db', port: 5432 },
      timeoutMs: null,
      all: false,
      service: null,
    });
    expect(read('target=%5B::1%5D:443&timeout=3s&all=true')).toEqual({
      target: { host: '::1', port: 443 },
      timeoutMs: 3000,
      all: true,
      service: null,
    });
    expect(read('target=mail:25&service=SMTP').service).toEqual({ name: 'smtp' });
    expect(read('target=10.0.0.5:443&service=https&sni=db.example.com&insecure=1').service).toEqual(
      { name: 'https', insecure: true, sni: 'db.example.com' },
    );
    expect(read('target=https://example.com/x&all=0').target).toEqual({
      host: 'example.com',
      port: 443,
    });
  });

  it('may be the empty fields of a form', () => {
    expect(read('target=+db:5432+&timeout=&service=&sni=')).toEqual({
      target: { host: 'db', port: 5432 },
      timeoutMs: null,
      all: false,
      service: null,
    });
    expect(read('target=db:443&service=https&sni=').service).toEqual({
      name: 'https',
      insecure: false,
    });
  });

  it.each([
    ['', 'target: missing; write: /probe?target=db:5432'],
    ['target=', 'target: missing'],
    ['target=%20', 'target: missing'],
    ['target=db', 'target: "db" cannot be probed: port: '],
    ['target=db:0', 'port: 0 is out of range'],
    ['target=10.0.0.0/28:22', 'is 16 targets; allowed: one'],
    ['target=db:1-65535', 'is 65535 targets; allowed: one'],
    ['target=127.1:80', 'is not an IPv4 address in four decimal parts'],
    ['target=udp://dns:53', 'target: "udp://dns:53" cannot be probed: scheme: "udp" uses UDP, '],
    ['target=unix:/run/x', 'scheme: "unix" names a socket of one machine, '],
    ['target=db:1&target=db:2', 'target: given more than once; allowed: once'],
    ['target=db:1&timeout=fast', 'timeout: "fast" is not a duration'],
    ['target=db:1&timeout=1h', 'timeout: 1h is out of range; allowed: 1ms to 120s'],
    ['target=db:1&timeout=0', 'timeout: 0 is out of range; allowed: 1ms to 120s'],
    ['target=db:1&all=maybe', 'all: "maybe" is not a truth value; allowed: true, false, 1, 0'],
    [
      'target=db:1&sni=a',
      'sni: no service is requested; allowed with service= and one of: smtp+tls,',
    ],
    [
      'target=db:1&insecure=true',
      'insecure: no service is requested; allowed with service= and one of: smtp+tls,',
    ],
    [
      'target=db:1&service=smtp&insecure=true',
      'insecure: smtp has no TLS; allowed with service= and one of: smtp+tls,',
    ],
    [
      'target=db:1&service=https&sni=10.0.0.1',
      'sni: "10.0.0.1" is an address; allowed: a host name (RFC 6066)',
    ],
    ['target=db:1&service=https&sni=a%20b', 'sni: "a b" is not a host name'],
    [
      'target=db:1&service=gopher',
      'service: "gopher" is not the name of a service; allowed: banner, smtp,',
    ],
    ['target=db:1&nonsense=tcp', 'nonsense: unknown parameter; allowed: target, module,'],
    ['target=db:1&module=http_2xx', 'module: "http_2xx" is unknown; allowed: tcp_connect, banner,'],
    [
      'target=db:1&module=smtp&service=smtp',
      'service: the module smtp has a service; allowed with',
    ],
    ['target=db:1&module=smtp&sni=a', 'sni: smtp has no TLS; allowed with service= and one of: '],
    [
      'target=db:1&module=tcp_connect&insecure=1',
      'insecure: no service is requested; allowed with',
    ],
    ['target=db:1&debug=yes', 'debug: "yes" is not a truth value'],
    ['target=db%25253A1', 'target: "db%253A1" cannot be probed'], // three times
    ['target=db%25zz:1', 'target: "db%zz:1" cannot be probed'],
    ['target=db:1&insecure=', 'insecure: "" is not a truth value'],
    ['target=fe80::1%2525nope:1', 'cannot be probed'],
  ])('%j are refused', (query, message) => {
    expect(() => read(query)).toThrow(
      expect.objectContaining({
        name: 'Refusal',
        reason: 'bad-request',
        message: expect.stringContaining(message) as string,
      }) as Error,
    );
  });

  it('are refused without a list of the interfaces of this machine', () => {
    expect(() => read(`target=${encodeURIComponent('[fe80::1%nope0]:80')}`)).toThrow(
      /^target: "\[fe80::1%nope0\]:80" cannot be probed: host: [^;]*"nope0"[^;]*$/,
    );
  });

  it('fail only with a refusal, whatever they are', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (target, timeout) => {
        try {
          readProbeRequest(new URLSearchParams({ target, timeout }), BUILT_IN_MODULES);
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal);
        }
      }),
    );
  });
});

describe('a module', () => {
  const own: Modules = new Map([
    ...BUILT_IN_MODULES,
    ['mail', { timeoutMs: 2000, service: { name: 'smtps', insecure: true, sni: 'mx.test' } }],
  ]);

  it('is a plain connect, a service, or one of the configuration', () => {
    expect(read('target=db:1&module=tcp_connect')).toEqual(read('target=db:1'));
    expect(read('target=db:1&module=')).toEqual(read('target=db:1'));
    expect(read('target=db:1&module=ssh').service).toEqual({ name: 'ssh' });
    for (const name of SERVICE_NAMES)
      expect(read(`target=db:1&module=${encodeURIComponent(name)}`).service?.name).toBe(name);
    expect(read('target=db:1&module=mail', own)).toMatchObject({
      timeoutMs: 2000,
      service: { name: 'smtps', insecure: true, sni: 'mx.test' },
    });
  });

  it('gives way to what the request says', () => {
    expect(read('target=db:1&module=mail&timeout=1s', own).timeoutMs).toBe(1000);
    expect(read('target=db:1&module=mail&sni=other.test', own).service?.sni).toBe('other.test');
    expect(read('target=db:1&module=tcp_connect&service=ssh').service?.name).toBe('ssh');
  });

  it('takes hostname as the name for TLS, if there is no other', () => {
    expect(read('target=10.0.0.5:1&module=https&hostname=a.test').service?.sni).toBe('a.test');
    expect(read('target=db:1&module=mail&hostname=a.test', own).service?.sni).toBe('mx.test');
    expect(read('target=db:1&module=https&hostname=a.test&sni=b.test').service?.sni).toBe('b.test');
    expect(read('target=db:1&module=ssh&hostname=a.test').service?.sni).toBe(undefined);
  });
});

it('a target may be encoded twice', () => {
  expect(read('target=db%253A5432').target).toEqual({ host: 'db', port: 5432 });
  expect(read('target=%255B%253A%253A1%255D%253A443').target).toEqual({ host: '::1', port: 443 });
});

describe('the timeout', () => {
  it.each([
    [5000, 500, undefined, 5000],
    [5000, 500, '', 5000],
    [5000, 500, '10', 5000],
    [5000, 500, '3', 2500],
    [5000, 500, '3.25', 2750],
    [5000, 500, '0.6', 300], // half of it where the offset would leave less
    [5000, 0, '1', 1000],
    [1000, 60_000, '10', 1000],
    [5000, 500, '0.0001', 1],
  ])(
    'of %i ms with an offset of %i ms and a scrape timeout of %s s is %i ms',
    (askedMs, offsetMs, header, timeoutMs) => {
      expect(chooseTimeout(askedMs, offsetMs, header)).toBeCloseTo(timeoutMs, 6);
    },
  );

  it.each([' ', '0', '-1', 'ten', '1e3', 'NaN', 'Infinity', '1, 2'])(
    'is refused when the header is %j',
    (header) => {
      expect(() => chooseTimeout(5000, 500, header)).toThrow(Refusal);
    },
  );
});
