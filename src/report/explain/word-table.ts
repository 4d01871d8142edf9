import type { Expectation, Reason, State } from '../../core/states.js';

/** What a word means, and the most useful next step. */
export type Meaning = readonly [meaning: string, advice: string];

const CHECK_TLS = 'Run portping with --service=tls -v to see the chain.';

/** The reasons of verdicts. Where two causes look alike, both are named. */
export const REASON_MEANINGS: Readonly<Record<Reason, Meaning>> = {
  'conn-refused': [
    'The host answered that nothing listens on that port, or a firewall answered so for it.',
    'Check that the service is running and listens on this address and port.',
  ],
  'no-response': [
    'No answer came in time: a firewall drops the packets, the host is absent or overloaded, or ' +
      'a router on the way is down or misrouted.',
    'Use --diagnose to find out which of them.',
  ],
  'host-unreach': [
    'A router or firewall says that the host cannot be reached, or no host has that address.',
    'Check the address, that the host is on, the routing and the firewalls.',
  ],
  'net-unreach': [
    'A router has no route to the network or prohibits the connection, or a firewall rejects it.',
    'Check the address, the routing, the VPN if you need one, and the firewalls.',
  ],
  'proto-unreach': [
    'A firewall or router rejects the connection in an unusual way, or the host has no TCP.',
    'Check the address, and ask the administrator of the network there.',
  ],
  'admin-prohibited': [
    'A firewall or router answered that the connection is prohibited.',
    'Ask the administrator of the firewall or router, which may be this machine.',
  ],
  'icmp-error': [
    'A router, a firewall or the host rejected the packet with an unusual ICMP error.',
    'Ask the operators of the network on the way.',
  ],
  'name-not-found': [
    'The resolver says that the name does not exist, or that an alias leads to no name.',
    'Check the spelling and the DNS zone, or probe the IP address.',
  ],
  'name-no-address': [
    'The name exists, but has no address of the family that was asked for.',
    'Check its A and AAAA records, or leave out -4 and -6.',
  ],
  'resolver-failed': [
    'The name server answered with an error, or could not be asked.',
    'Check the DNS server, or probe the IP address.',
  ],
  'resolver-timeout': [
    'The resolver did not answer within the timeout.',
    'Check the DNS server and the way to it, or probe the IP address.',
  ],
  'no-route': [
    'This machine has no route to the address. No packet was sent.',
    'Check the network connection, the VPN and the routing table of this machine.',
  ],
  'no-ports-left': [
    'This machine has no free source port for the connection.',
    'Close connections, wait a minute, or probe with a lower --rate or --concurrency.',
  ],
  'no-files-left': [
    'This process or this machine has no file descriptor left.',
    'Raise the limit (ulimit -n), or use a lower --concurrency.',
  ],
  'not-permitted': [
    'This machine did not permit the connection: a local firewall or a policy.',
    'Check the firewall and the sandbox of this machine.',
  ],
  'bad-source': [
    'The address of --source cannot be used: this machine does not have it, or it has no way out.',
    'Use an address that this machine has.',
  ],
  'no-resources': [
    'This machine has no memory left for the connection.',
    'Probe with a lower --concurrency.',
  ],
  'unknown-error': [
    'The system gave an error that portping does not know.',
    'Explain its number with --explain, and please report it.',
  ],
  silent: [
    'The port is open, but the service did not answer in time.',
    'Check the service, and that --service names the right one.',
  ],
  dropped: [
    'The port is open, but the service closed the connection before it answered.',
    'Check the log of the service, and that it accepts connections from here.',
  ],
  'wrong-protocol': [
    'The port is open, but the answer is not that of the service asked for.',
    'Check the port, and that --service names the right one.',
  ],
  'tls-failed': ['The port is open, but TLS failed: the handshake, or the certificate.', CHECK_TLS],
};

/** States beyond what the table of exit codes says. */
export const STATE_ADVICE: Readonly<Record<State | Exclude<Expectation, State>, string>> = {
  open: 'Use --service to see whether the service answers.',
  closed: REASON_MEANINGS['conn-refused'][1],
  filtered: 'Use --diagnose to find out why.',
  unresolved: 'Check the spelling and the DNS zone, or probe the IP address.',
  failed: 'Repair what the message names on this machine, and probe again.',
  cancelled: 'Probe again without interrupting it.',
  'not-open': 'Use --expect not-open if the port must be closed or filtered.',
};

/** OpenSSL's and Node's verdicts on a certificate. */
export const VERDICT_MEANINGS: Readonly<Record<string, Meaning>> = {
  CERT_HAS_EXPIRED: [
    'The certificate, or one above it in the chain, has expired.',
    'Renew it. If its dates are right, check the clock of this machine.',
  ],
  CERT_NOT_YET_VALID: [
    'The certificate, or one above it in the chain, is not valid yet.',
    'Check its dates and the clock of this machine.',
  ],
  DEPTH_ZERO_SELF_SIGNED_CERT: [
    'The certificate is self-signed.',
    'Use one of an authority that clients trust, or add it to their trust (NODE_EXTRA_CA_CERTS).',
  ],
  SELF_SIGNED_CERT_IN_CHAIN: [
    'The authority of the certificate is not trusted here.',
    'Add the authority to the trust of this machine (NODE_EXTRA_CA_CERTS).',
  ],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: [
    'The authority is not known here, or the server did not send an intermediate certificate.',
    `Let the server send the whole chain, or add the authority here. ${CHECK_TLS}`,
  ],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'The certificate is for other names than the host.',
    'Use a name of the certificate as the host, or request it with --sni.',
  ],
  CERT_REVOKED: ['The certificate has been revoked.', 'Replace it.'],
  INVALID_PURPOSE: [
    'The certificate, or one above it in the chain, may not be used for servers.',
    'Issue a certificate for servers (extended key usage serverAuth).',
  ],
};

/** Other words for the same: verdicts of OpenSSL. */
export const SAME_VERDICT: Readonly<Record<string, string>> = {
  UNABLE_TO_GET_ISSUER_CERT: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  HOSTNAME_MISMATCH: 'ERR_TLS_CERT_ALTNAME_INVALID',
};

/** Response codes of DNS (RFC 6895, section 2.3), and the code of c-ares for each. */
export const DNS_REPLIES: Readonly<Record<string, string>> = {
  NXDOMAIN: 'ENOTFOUND',
  NODATA: 'ENODATA',
  SERVFAIL: 'ESERVFAIL',
  REFUSED: 'EREFUSED',
  FORMERR: 'EFORMERR',
  NOTIMP: 'ENOTIMP',
};
