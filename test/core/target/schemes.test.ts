import { describe, expect, it } from 'vitest';
import {
  parseTarget,
  parseTargetLine,
  parseTargets,
} from '../../../src/core/target/target-list.js';
import { UsageError } from '../../../src/core/usage-error.js';

function refusalOf(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message;
  }
  throw new Error('not refused');
}

const OTHERWISE = 'allowed: host:port, or a URL such as https://example.com';
const overTcp = (url: string) => `write ${url} to probe that port over TCP`;

describe('a URL whose scheme is not TCP', () => {
  it.each([
    ['udp://dns:53', '"udp" uses UDP', overTcp('tcp://dns:53')],
    ['UDP://dns:53/', '"UDP" uses UDP', overTcp('tcp://dns:53')],
    ['udp6://[2001:db8::1]:53', '"udp6" uses UDP', overTcp('tcp://[2001:db8::1]:53')],
    ['udp://dns', '"udp" uses UDP', OTHERWISE],
    ['udp:dns:53', '"udp" uses UDP', overTcp('tcp://dns:53')],
    ['udp://user:secret@dns:domain', '"udp" uses UDP', overTcp('tcp://dns:53')],
    ['dtls://h:4433', '"dtls" uses UDP', overTcp('tcp://h:4433')],
    ['coap://h:5683', '"coap" uses UDP', overTcp('tcp://h:5683')],
    ['ntp://h:123', '"ntp" uses UDP', overTcp('tcp://h:123')],
    ['sip:bob@pbx:5060;transport=udp', '"sip" uses UDP', overTcp('tcp://pbx:5060')],
    ['sip-udp://pbx:5060', '"sip-udp" uses UDP', overTcp('tcp://pbx:5060')],
    ['syslog+udp://log:514', '"syslog+udp" uses UDP', overTcp('tcp://log:514')],
    ['stun:h:3478', '"stun" uses UDP', overTcp('tcp://h:3478')],
    ['turn://h:3478?transport=udp', '"turn" uses UDP', overTcp('tcp://h:3478')],
    ['quic://h:443', '"quic" uses QUIC over UDP', overTcp('tcp://h:443')],
    ['quic:example.com', '"quic" uses QUIC over UDP', OTHERWISE],
    ['h3://h:443', '"h3" uses QUIC over UDP', overTcp('tcp://h:443')],
    ['sctp://h:36412', '"sctp" uses SCTP', overTcp('tcp://h:36412')],
    ['icmp://h:1', '"icmp" uses ICMP, which has no ports', OTHERWISE],
    ['unix:///run/x.sock', '"unix" names a socket of one machine', OTHERWISE],
    ['unix:/run/x.sock', '"unix" names a socket of one machine', OTHERWISE],
    ['unix://h:80', '"unix" names a socket of one machine', OTHERWISE],
    ['http+unix://%2Frun%2Fx:80', '"http+unix" names a socket of one machine', OTHERWISE],
    ['ws+unix:///run/x.sock', '"ws+unix" names a socket of one machine', OTHERWISE],
    ['npipe:////./pipe/x', '"npipe" names a socket of one machine', OTHERWISE],
    ['file://h:80', '"file" names a file', OTHERWISE],
    ['file:///etc/hosts', '"file" names a file', OTHERWISE],
    ['mailto:a@example.com', '"mailto" names a mailbox', OTHERWISE],
    ['mailto:', '"mailto" names a mailbox', OTHERWISE],
  ])('%s is refused with a reason and advice', (word, reason, advice) => {
    const message = `scheme: ${reason}, and portping probes TCP only; ${advice}`;
    expect(refusalOf(() => parseTarget([word]))).toBe(message);
    expect(refusalOf(() => parseTargets(['https://example.com', word]))).toBe(message);
    expect(refusalOf(() => parseTargetLine(`${word} open`, 'list:7'))).toBe(`list:7: ${message}`);
    const [, url] = /write (\S+)/.exec(advice) ?? [];
    if (url !== undefined) expect(parseTarget([url]).port).toBeGreaterThan(0);
  });
});

describe('a URL that can be TCP', () => {
  it.each([
    ['tcp://h:1', 1],
    ['tcp4://h:1', 1],
    ['https://h', 443],
    ['postgres://h', 5432],
    ['redis://h', 6379],
    ['ws://h', 80],
    ['wss://h', 443],
    ['amqp://h', 5672],
    ['mqtt://h', 1883],
    ['dns://h', 53],
    ['ldap://h', 389],
    ['rtsp://h', 554],
    ['sftp://h', 22],
    ['git+ssh://h:22', 22],
    ['coap+tcp://h:5683', 5683],
    ['coaps+tcp://h:5684', 5684],
    ['coap+ws://h:80', 80],
    ['sips://h:5061', 5061],
    ['h2c://h:80', 80],
    ['web-socket://h:80', 80],
    ['unknown://h:9', 9],
  ])('%s is probed', (url, port) => {
    expect(parseTarget([url])).toEqual({ host: 'h', port });
  });

  it('a URL of an unknown scheme needs a port, and the refusal names the scheme', () => {
    const message = refusalOf(() => parseTarget(['unknown://h']));
    expect(message).toContain('the scheme "unknown" has no known port');
    const [, advice = ''] = /write it: (\S+)$/.exec(message) ?? [];
    expect(parseTarget([advice])).toEqual({ host: 'h', port: 1234 });
  });
});

it.each(['udp:53', 'quic:https', 'file:80,443', 'unix:8000-8010'])(
  '%s is read as a host name with ports, not as a URL',
  (word) => {
    expect([...parseTargets([word]).targets()][0]?.host).toBe(word.split(':')[0]);
  },
);

it.each(['fd::1', 'dccp', 'data'])('the host %s is not read as a scheme', (host) => {
  expect(parseTarget([host, '80'])).toEqual({ host, port: 80 });
});
