import { formatHostPort } from '../../target/target.js';
import type { ServiceCheck } from '../conversation/service-check.js';

/** The host as a request names it: the port is left out where it goes without saying (RFC 9110, 7.2). */
function authority(host: string, port: number): string {
  return port === 80 || port === 443
    ? formatHostPort(host, port).replace(/:\d+$/, '')
    : formatHostPort(host, port);
}

/** HTTP (RFC 9112): HEAD of `/`. Any status will do: it is shown. */
export const checkHttp: ServiceCheck = async (talk, { host, port }) => {
  talk.writeLine(
    `HEAD / HTTP/1.1\r\nHost: ${authority(host, port)}\r\nUser-Agent: portping\r\nAccept: */*\r\nConnection: close\r\n`,
  );
  const line = await talk.readLine('its answer to HEAD');
  if (!/^HTTP\/\d(\.\d)? [1-5]\d\d( |$)/.test(line)) talk.refuse(line, 'an answer of HTTP');
  return {};
};
