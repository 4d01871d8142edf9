import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseServices, portOfScheme, portOfService } from '../../../src/core/target/port-names.js';
import { itWith } from '../../support/tools.js';

describe('parseServices', () => {
  it('reads the TCP services of a services file, with their aliases', () => {
    const services = parseServices(
      'smtp\t25/tcp\tmail\nhttp  80/tcp   www www-http # WorldWideWeb HTTP\n',
    );
    expect(Object.fromEntries(services)).toEqual({
      smtp: 25,
      mail: 25,
      http: 80,
      www: 80,
      'www-http': 80,
    });
  });

  it('ignores the services of other protocols', () => {
    expect(
      Object.fromEntries(
        parseServices('tftp 69/udp\ndomain 53/tcp\ndomain 53/udp\nsip 5060/sctp\n'),
      ),
    ).toEqual({ domain: 53 });
  });

  it('converts names to lower case', () => {
    expect(Object.fromEntries(parseServices('X400 102/TCP ISO-TSAP'))).toEqual({
      x400: 102,
      'iso-tsap': 102,
    });
  });

  it('keeps the first port of a name that is listed twice', () => {
    expect(parseServices('a 1/tcp\na 2/tcp\nb 3/tcp a\n').get('a')).toBe(1);
  });

  it('ignores comments, empty lines and malformed lines', () => {
    const text =
      '# smtp 25/tcp\n\n   \nsmtp\nsmtp 25\nsmtp tcp/25\nsmtp 25/tcpx\nsmtp x25/tcp\n' +
      'zero 0/tcp\nhigh 65536/tcp\nlong 123456/tcp\n#';
    expect([...parseServices(text)]).toEqual([]);
  });

  it('accepts Windows line ends and a last line without a line end', () => {
    expect(
      Object.fromEntries(parseServices('smtp 25/tcp mail\r\nhttp 80/tcp\r\nlast 65535/tcp')),
    ).toEqual({ smtp: 25, mail: 25, http: 80, last: 65535 });
  });

  it('finds nothing in an empty file', () => {
    expect(parseServices('').size).toBe(0);
  });
});

describe('portOfService', () => {
  it.each([
    ['smtp', 25],
    ['ssh', 22],
    ['https', 443],
    ['postgres', 5432],
    ['redis', 6379],
    ['mongodb', 27017],
  ])('returns for %s the port %i, with or without a services file', (name, port) => {
    expect(portOfService(name)).toBe(port);
  });

  it('ignores the case of a name', () => {
    expect(portOfService('SMTP')).toBe(25);
    expect(portOfService('Kafka')).toBe(9092);
  });

  it.each([
    'no-such-service',
    '',
    ' smtp',
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
  ])('returns no port for %j', (name) => {
    expect(portOfService(name)).toBeUndefined();
  });

  itWith('services file', "finds every TCP service of this system's own file", () => {
    const services = parseServices(readFileSync('/etc/services', 'utf8'));
    for (const [name, port] of services) expect(portOfService(name), name).toBe(port);
  });
});

describe('portOfScheme', () => {
  it.each([
    ['http', 80],
    ['https', 443],
    ['ws', 80],
    ['wss', 443],
    ['ftp', 21],
    ['ssh', 22],
    ['redis', 6379],
    ['rediss', 6379],
    ['postgres', 5432],
    ['postgresql', 5432],
    ['mysql', 3306],
    ['mongodb', 27017],
    ['amqp', 5672],
    ['amqps', 5671],
    ['mqtt', 1883],
    ['mqtts', 8883],
    ['ldap', 389],
    ['ldaps', 636],
    ['smtp', 25],
    ['imaps', 993],
    ['HTTPS', 443],
  ])('returns for %s the port %i', (scheme, port) => {
    expect(portOfScheme(scheme)).toBe(port);
  });

  it.each(['foo', 'file', 'constructor', 'tostring', ''])('returns no port for %j', (scheme) => {
    expect(portOfScheme(scheme)).toBeUndefined();
  });
});
