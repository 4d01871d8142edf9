import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseTimeout, readProbeRequest } from '../../../src/exporter/access/probe-request.js';
import { Refusal } from '../../../src/exporter/access/refusal.js';

const read = (query: string) => readProbeRequest(new URLSearchParams(query));

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
    expect(read('target=mail:25&service=SMTP').service).toEqual({ name: 'smtp', insecure: false });
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
    ['target=db:1&module=tcp', 'module: unknown parameter; allowed: target,'],
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
          readProbeRequest(new URLSearchParams({ target, timeout }));
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal);
        }
      }),
    );
  });
});

describe('the timeout', () => {
  it.each([
    [5000, 500, undefined, 5000],
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

  it.each(['', '0', '-1', 'ten', '1e3', 'NaN', 'Infinity', '1, 2'])(
    'is refused when the header is %j',
    (header) => {
      expect(() => chooseTimeout(5000, 500, header)).toThrow(Refusal);
    },
  );
});
