import { describe, expect, it } from 'vitest';
import { SERVICE_NAMES } from '../../../src/core/service/registry.js';
import {
  parseServerName,
  parseServiceName,
  TLS_SERVICE_NAMES,
} from '../../../src/core/service/service-parameters.js';
import { UsageError } from '../../../src/core/usage-error.js';

describe('parseServiceName', () => {
  it.each(SERVICE_NAMES)('accepts %s in lower and upper case', (name) => {
    expect(parseServiceName(name, 'service')).toBe(name);
    expect(parseServiceName(name.toUpperCase(), 'service')).toBe(name);
  });

  it.each(['', 'gopher', 'smtp '])('refuses %j with the list of services', (text) => {
    expect(() => parseServiceName(text, '--service')).toThrow(
      new UsageError(
        `--service: "${text}" is not the name of a service; allowed: ${SERVICE_NAMES.join(', ')}`,
      ),
    );
  });
});

describe('TLS_SERVICE_NAMES', () => {
  it('has the services with TLS from the first byte and with STARTTLS', () => {
    expect(TLS_SERVICE_NAMES).toEqual(expect.arrayContaining(['https', 'smtp+tls', 'tls']));
    expect(TLS_SERVICE_NAMES).not.toContain('smtp');
  });
});

describe('parseServerName', () => {
  it.each([
    ['mail.example.com', 'mail.example.com'],
    ['mail.example.com.', 'mail.example.com'],
    ['münchen.example', 'xn--mnchen-3ya.example'],
  ])('reads %s as %s', (text, name) => {
    expect(parseServerName(text, '--sni')).toBe(name);
  });

  it.each(['192.0.2.1', '2001:db8::1', '[2001:db8::1]'])('refuses the address %s', (text) => {
    expect(() => parseServerName(text, '--sni')).toThrow(
      new UsageError(`--sni: "${text}" is an address; allowed: a host name (RFC 6066)`),
    );
  });

  it.each(['', 'a b', 'a..b', '-', '127.1', 'a:b'])('refuses %j', (text) => {
    expect(() => parseServerName(text, 'sni')).toThrow(
      new UsageError(
        `sni: "${text}" is not a host name; allowed: letters, digits, hyphens and dots`,
      ),
    );
  });
});
