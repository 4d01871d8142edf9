import { describe, expect, it } from 'vitest';
import {
  clientSendsFirst,
  SERVICE_NAMES,
  serviceNameOfPort,
  SERVICES,
} from '../../../src/core/service/registry.js';
import { portOfScheme } from '../../../src/core/target/port-names.js';

describe('the registry of services', () => {
  it('gives each port to one service only', () => {
    const ports = SERVICE_NAMES.flatMap((name) => SERVICES[name].ports);
    expect(new Set(ports).size).toBe(ports.length);
  });

  it.each(SERVICE_NAMES)('selects %s by each of its ports', (name) => {
    const { ports } = SERVICES[name];
    expect(ports.map(serviceNameOfPort)).toEqual(ports.map(() => name));
  });

  it('selects no service by any other port', () => {
    expect(serviceNameOfPort(12_345)).toBeUndefined();
  });

  // `banner` and `tls` have no port of their own: theirs belong to many protocols.
  it.each(
    SERVICE_NAMES.filter((name) => SERVICES[name].ports.length > 0).filter(
      (name) => name !== 'banner' && name !== 'tls',
    ),
  )('has %s on the port that the name stands for elsewhere', (name) => {
    expect(SERVICES[name].ports[0]).toBe(portOfScheme(name));
  });

  it('starts TLS as the name says: +tls by STARTTLS, except HTTP; a final s at once', () => {
    for (const name of SERVICE_NAMES) {
      const isStartTls = name.endsWith('+tls') && name !== 'http+tls';
      const expected = isStartTls ? 'starttls' : name.endsWith('s') ? 'implicit' : null;
      expect(SERVICES[name].tls, name).toBe(expected);
    }
  });

  it('knows that clients send first with implicit TLS, HTTP and X.400', () => {
    const clientFirst = SERVICE_NAMES.filter(clientSendsFirst);
    const expected = SERVICE_NAMES.filter(
      (name) => SERVICES[name].tls === 'implicit' || /^(http|x400)/.test(name),
    );
    expect(clientFirst).toEqual(expected);
  });
});
