import { parsePort } from './port-names.js';
import { formatHostPort, parseHost } from './target.js';
import { UsageError } from '../usage-error.js';

/**
 * URL schemes that do not stand for a TCP connection to the host in the URL, by what they do.
 * Where a protocol has both transports, the plain scheme stands for UDP: SIP (RFC 3261, 19.1.2),
 * CoAP (RFC 7252, 6.1), also STUN and TURN. `coap+tcp` is TCP (RFC 8323, 8.1).
 */
const OTHER_SCHEMES: Readonly<Record<string, string>> = {
  'uses UDP':
    'udp udp4 udp6 udplite dtls coap coaps l2tp mdns mosh ntp radius rtmfp rtp rtspu ' +
    'sip snmp srt srtp statsd stun tftp turn wireguard',
  'uses QUIC over UDP': 'quic h3 http3 doq',
  'uses SCTP': 'sctp sctp4 sctp6',
  'uses DCCP': 'dccp',
  'uses ICMP, which has no ports': 'icmp icmp6 icmpv6 ping',
  'names a socket of one machine': 'unix unixgram unixpacket ipc inproc npipe pipe socket vsock',
  'names a file': 'file',
  'names a mailbox': 'mailto',
  'names a telephone': 'tel sms',
  'holds its own data': 'data',
  'names no host': 'urn',
};

/** Transports that also stand behind or before a hyphen: `sip-udp`. */
const TRANSPORTS = ['udp', 'quic', 'dtls', 'sctp'];

/** Endings that make a compound scheme TCP: `coap+tcp`, `coaps+ws`. */
const TCP_ENDING = /[+-](tcp|tls|ssl|ws|wss)$/;

const ACTIONS = new Map(
  Object.entries(OTHER_SCHEMES).flatMap(([action, schemes]) =>
    schemes.split(' ').map((scheme) => [scheme, action] as const),
  ),
);

/** What a scheme does instead of TCP; undefined if it may be TCP. `http+unix` is read by parts. */
function otherActionOf(scheme: string): string | undefined {
  const key = scheme.toLowerCase();
  if (TCP_ENDING.test(key)) return undefined;
  const transports = key.split('-').filter((part) => TRANSPORTS.includes(part));
  const known = [key, ...key.split('+'), ...transports].find((part) => ACTIONS.has(part));
  return known === undefined ? undefined : ACTIONS.get(known);
}

const AUTHORITY = /^(?:\/\/)?(?:[^/?#]*@)?(\[[^\]]*\]|[^:/?#]*):([^:/?#;]+)(?=[/?#;]|$)/;

/** The same host and port as a TCP URL; null if the rest of the URL does not have both. */
function tcpUrlOf(rest: string): string | null {
  const [, host = '', port = ''] = AUTHORITY.exec(rest) ?? [];
  try {
    return `tcp://${formatHostPort(parseHost(host), parsePort(port))}`;
  } catch (error) {
    if (error instanceof UsageError) return null;
    throw error;
  }
}

/**
 * Refuses a URL whose scheme is not TCP, with or without `//`. Words that can be `host:port` pass:
 * `udp:53` is a host of that name.
 *
 * @throws UsageError with what portping can do instead
 */
export function refuseOtherScheme(word: string): void {
  const [, scheme, rest = ''] = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(word) ?? [];
  if (scheme === undefined || /^[\w,-]+$/.test(rest)) return;
  const action = otherActionOf(scheme);
  if (action === undefined) return;
  const tcpUrl = /^uses (?!ICMP)/.test(action) ? tcpUrlOf(rest) : null;
  const advice =
    tcpUrl === null
      ? 'allowed: host:port, or a URL such as https://example.com'
      : `write ${tcpUrl} to probe that port over TCP`;
  throw new UsageError(`scheme: "${scheme}" ${action}, and portping probes TCP only; ${advice}`);
}
