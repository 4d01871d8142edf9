import { UsageError } from '../usage-error.js';
import { parsePort, portOfScheme } from './port-names.js';
import { formatHostPort, HOST_RULE, parseHost, type Target } from './target.js';

/**
 * A URL: its host, and its port or else the port of its scheme. User names, passwords and paths are
 * dropped.
 *
 * @throws UsageError when it has no host, or no port that is known
 */
export function parseUrl(text: string): Target {
  const scheme = text.slice(0, text.indexOf(':'));
  // The host is taken as it was written: URL would already have guessed at 127.1 and 0x7f000001.
  // The port is the digits behind it.
  const authority =
    /^[^/]*:\/\/(?:[^/?#]*@)?(?<host>\[[^\]]*\]|[^:/?#]*)(?::(?<port>[^/?#]*))?(?=[/?#]|$)/.exec(
      text,
    )?.groups;
  if (!authority)
    throw new UsageError(
      `host: "${text}" has something between its host and its port; ${HOST_RULE}`,
    );
  const host = parseHost(authority['host'] ?? '');
  const portText = authority['port'] ?? '';
  const port = portText === '' ? portOfScheme(scheme) : parsePort(portText);
  if (port === undefined)
    throw new UsageError(
      `port: the scheme "${scheme}" has no known port; ` +
        `write it: ${scheme}://${formatHostPort(host, 1234)}`,
    );
  return { host, port };
}
