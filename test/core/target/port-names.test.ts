import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  parsePort,
  parseServices,
  portOfScheme,
  portOfService,
} from '../../../src/core/target/port-names.js';
import { UsageError } from '../../../src/core/usage-error.js';
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

describe('parsePort', () => {
  it.each([
    ['1', 1],
    ['25', 25],
    ['080', 80],
    ['00443', 443],
    ['65535', 65535],
    ['smtp', 25],
    ['HTTPS', 443],
    ['postgresql', 5432],
    ['ms-wbt-server', 3389],
  ])('reads %s as %i', (text, port) => {
    expect(parsePort(text)).toBe(port);
  });

  it.each(['0', '00000', '65536', '99999', '100000', '000080', '9'.repeat(400)])(
    'refuses %s as out of range and names the range',
    (text) => {
      expect(() => parsePort(text)).toThrow(
        new UsageError(
          `port: ${text} is out of range; ` +
            'allowed: 1 to 65535, or the name of a TCP service such as smtp',
        ),
      );
    },
  );

  it.each([
    '-1',
    '+80',
    '80.0',
    '8e1',
    '0x50',
    ' 80',
    '80 ',
    '80\n',
    '８０',
    '80abc',
    'no-such-service',
    '//x',
    '__proto__',
    'constructor',
    'smtp\x1b[31m',
    '80,443',
    '1-5',
    'ſmtp',
  ])('refuses %j as neither a port nor a service', (text) => {
    expect(() => parsePort(text)).toThrow(
      new UsageError(
        `port: "${text}" is neither a port nor a known service; ` +
          'allowed: 1 to 65535, or the name of a TCP service such as smtp',
      ),
    );
  });

  it('refuses an empty port', () => {
    expect(() => parsePort('')).toThrow(/^port: nothing given; allowed: 1 to 65535/);
  });
});
