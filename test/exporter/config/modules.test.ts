import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { UsageError } from '../../../src/core/usage-error.js';
import { describeModule, readModules } from '../../../src/exporter/config/modules.js';

const read = (yaml: string) => readModules(parse(yaml) as unknown);

describe('the modules of a file', () => {
  it('are read in the form of blackbox_exporter', () => {
    const modules = read(`
modules:
  tcp_connect:
    prober: tcp
    timeout: 3s
  bare:
  mail:
    prober: tcp
    timeout: 1500ms
    tcp:
      service: smtps
      preferred_ip_protocol: ip4
      source_ip_address: 10.0.0.1
      tls_config: {server_name: mail.example.com, insecure_skip_verify: true}
  only6:
    tcp: {preferred_ip_protocol: ip6, ip_protocol_fallback: false}
  tls:
    tcp: {tls: true}
  starttls:
    tcp: {tls: true, service: imap+tls}
`);
    expect(modules.get('tcp_connect')).toEqual({ timeoutMs: 3000 });
    expect(modules.get('bare')).toEqual({});
    expect(modules.get('mail')).toEqual({
      timeoutMs: 1500,
      service: { name: 'smtps', insecure: true, sni: 'mail.example.com' },
      preferredFamily: 4,
      sourceAddress: '10.0.0.1',
    });
    expect(modules.get('only6')).toMatchObject({ family: 6 });
    expect(modules.get('tls')?.service).toEqual({ name: 'tls' });
    expect(modules.get('starttls')?.service).toEqual({ name: 'imap+tls' });
    expect(modules.get('ssh')).toEqual({ service: { name: 'ssh' } }); // built in
  });

  it.each([
    ['', 'tcp_connect'],
    ['modules:', 'tcp_connect'],
    ['{}', 'smtp'],
  ])('may be none: %j', (yaml, name) => {
    expect(read(yaml).has(name)).toBe(true);
  });

  it('are shown as they would be written', () => {
    const yaml = {
      prober: 'tcp',
      timeout: '1500ms',
      tcp: {
        preferred_ip_protocol: 'ip6',
        ip_protocol_fallback: false,
        source_ip_address: '::1',
        service: 'https',
        tls_config: { server_name: 'a.test', insecure_skip_verify: true },
      },
    };
    const [module] = [readModules({ modules: { own: yaml } }).get('own')];
    expect(module && describeModule(module)).toEqual(yaml);
    expect(describeModule({})).toEqual({ prober: 'tcp' });
  });

  it.each([
    ['- a', '--config.file: is a list; allowed: a mapping of modules'],
    ['module: {}', '--config.file.module: is not supported; allowed: modules'],
    ['modules: [a]', '--config.file.modules: is a list; allowed: a mapping of names'],
    [
      'modules: {m: {prober: http}}',
      '--config.file.modules.m.prober: "http" is unknown; allowed: tcp',
    ],
    ['modules: {m: {timeout: 1h}}', '--config.file.modules.m.timeout: 1h is out of range'],
    [
      'modules: {m: {tcp: {query_response: []}}}',
      '--config.file.modules.m.tcp.query_response: is not supported; allowed: preferred_ip',
    ],
    ['modules: {m: {tcp: {service: gopher}}}', 'm.tcp.service: "gopher" is not the name of'],
    ['modules: {m: {tcp: {service: ssh, tls: true}}}', 'm.tcp.tls: ssh has no TLS; allowed: '],
    ['modules: {m: {tcp: {tls: "yes"}}}', 'm.tcp.tls: is a string; allowed: true or false'],
    ['modules: {m: {tcp: {tls_config: {}}}}', 'm.tcp.tls_config: is there without TLS; allowed: '],
    [
      'modules: {m: {tcp: {tls: true, tls_config: {ca_file: x}}}}',
      'm.tcp.tls_config.ca_file: is not supported; allowed: server_name, insecure_skip_verify',
    ],
    ['modules: {m: {tcp: {ip_protocol_fallback: true}}}', 'is there without preferred_ip_protocol'],
    ['modules: {m: {tcp: {preferred_ip_protocol: ip5}}}', '"ip5" is unknown; allowed: ip4, ip6'],
    ['modules: {m: {tcp: {source_ip_address: a}}}', 'm.tcp.source_ip_address: "a" is not an'],
    [
      'modules: {m: {tcp: {preferred_ip_protocol: ip4, ip_protocol_fallback: false, ' +
        'source_ip_address: "::1"}}}',
      'm.tcp.source_ip_address: ::1 is an IPv6 address, but only IPv4 is probed',
    ],
    ['modules: {m: {tcp: {service: {a: 1}}}}', 'm.tcp.service: is a mapping; allowed: a text'],
  ])('are refused: %s', (yaml, message) => {
    expect(() => read(yaml)).toThrow(UsageError);
    expect(() => read(yaml)).toThrow(message);
  });
});
