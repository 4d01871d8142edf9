import type { Addresses } from '../../support/lab.js';
import type { State } from '../../../src/core/states.js';
import type { Cause } from './claims.js';
import type { Causes, Situation, Truth } from './situation.js';

/** Addresses of the server besides its own: the firewall of the client acts on all their ports. */
export const RESET_HOST: Addresses = { v4: '10.77.0.60', v6: 'fd77::60' };
export const DROPPED_HOST: Addresses = { v4: '10.77.0.61', v6: 'fd77::61' };

const SERVER: Addresses = { v4: '10.77.0.2', v6: 'fd77::2' };
const CLIENT: Addresses = { v4: '10.77.0.1', v6: 'fd77::1' };
/** Addresses of the client on an interface without a link. */
export const UNLINKED: Addresses = { v4: '10.66.0.1', v6: 'fd66::1' };
const ABSENT: Addresses = { v4: '10.77.0.99', v6: 'fd77::99' };

/** Where programs listen: on the server, and on the client at all or only at some addresses. */
export const LISTENERS = [
  {
    role: 'server',
    address: '::',
    ports: [7000, 443, 7001, 7002, 7003, 7004, 7011, 7012, 7013, 7016],
  },
  { role: 'client', address: '::', ports: [7020, 7023, 7024] },
  { role: 'client', address: '127.0.0.1', ports: [7021] },
  { role: 'client', address: '::1', ports: [7021] },
] as const;

/** The firewall of the client. */
export const CLIENT_RULES = `
  add table inet lab
  add chain inet lab output { type filter hook output priority 0; }
  add rule inet lab output ip daddr ${RESET_HOST.v4} reject with tcp reset
  add rule inet lab output ip6 daddr ${RESET_HOST.v6} reject with tcp reset
  add rule inet lab output ip daddr ${DROPPED_HOST.v4} drop
  add rule inet lab output ip6 daddr ${DROPPED_HOST.v6} drop
  add rule inet lab output tcp dport 7001 drop
  add rule inet lab output tcp dport 7002 reject
  add rule inet lab output tcp dport 7003 reject with tcp reset
  add rule inet lab output tcp dport 7004 reject with icmpx type admin-prohibited
  add chain inet lab input { type filter hook input priority 0; }
  add rule inet lab input tcp sport 7016 drop
  add rule inet lab input tcp dport 7020 drop
  add rule inet lab input ip daddr ${CLIENT.v4} tcp dport 7024 drop
  add rule inet lab input ip6 daddr ${CLIENT.v6} tcp dport 7024 drop
  add rule inet lab input ip daddr ${CLIENT.v4} tcp dport 7023 reject with tcp reset
  add rule inet lab input ip6 daddr ${CLIENT.v6} tcp dport 7023 reject with tcp reset`;

/** The firewall of the server: near misses of that of the client. */
export const SERVER_RULES = `
  add table inet lab
  add chain inet lab input { type filter hook input priority 0; }
  add rule inet lab input tcp dport 7011 drop
  add rule inet lab input tcp dport 7012 reject
  add rule inet lab input tcp dport 7013 reject with tcp reset
  add rule inet lab input tcp dport 7014 reject with icmpx type admin-prohibited`;

/** Routes of the client that let nothing out. */
export const ROUTES = [
  'throw 10.93.0.0/24',
  'throw fd93::/64',
  'prohibit 10.94.0.0/24',
  'prohibit fd94::/64',
  'blackhole 10.95.0.0/24',
  'blackhole fd95::/64',
  'unreachable 10.96.0.0/24',
  'unreachable fd96::/64',
];

const FAMILIES = ['v4', 'v6'] as const;

const truth = (state: State, reason: string | null, causes: Causes, rest: Partial<Truth> = {}) => ({
  state,
  reason,
  ...causes,
  ...rest,
});

/** A cause that only a diagnosis can see; a plain probe may say what a firewall does. */
const hidden = (
  cause: Cause,
  ...besides: Cause[]
): Pick<Truth, 'made' | 'besides' | 'diagnosed'> => ({
  made: [],
  besides,
  diagnosed: { made: [cause] },
});

/** Over the veth link only the second SYN, after 1 s, is seen to be rejected by ICMPv6. */
const patient = { options: ['-w', '2500ms'] };

/** A namespace of its own with a single ephemeral port, which another socket holds. */
const withoutPorts = [
  'unshare',
  '--net',
  'sh',
  '-c',
  `ip link set lo up
  echo 40000 40000 > /proc/sys/net/ipv4/ip_local_port_range
  exec python3 -c '
import os, socket, sys
for family, address in (socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"):
    held = socket.socket(family)
    if family == socket.AF_INET6:
        held.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    held.bind((address, 40000))
    held.listen()
    held.set_inheritable(True)
    held.detach()
os.execvp(sys.argv[1], sys.argv[1:])' "$@"`,
  'sh',
];

const situations = FAMILIES.flatMap((family): Situation[] => {
  const over = `over IP${family}`;
  const server = (port: number) => ({ target: [SERVER[family], port] as const });
  const own = (port: number) => ({ target: [CLIENT[family], port] as const });
  const isV4 = family === 'v4';
  const nothingHere = { facts: ['host-up'] } as const;
  return [
    {
      title: `a port of a real host is open ${over}`,
      ...server(7000),
      truth: truth('open', null, { made: [] }, { facts: ['host-up'] }),
    },
    {
      title: `this machine drops what a port of a real host answers ${over}`,
      ...server(7016),
      truth: truth(
        'filtered',
        'no-response',
        {
          made: ['firewall-drops'],
          alike: ['host-absent'],
        },
        { diagnosed: { made: ['answers-dropped-here'] }, facts: ['host-up'] },
      ),
    },
    {
      title: `nothing listens at an address of an interface without a link ${over}`,
      target: [UNLINKED[family], 7015],
      truth: truth(
        'closed',
        'conn-refused',
        { made: ['no-listener'], alike: ['firewall-rejects'] },
        { diagnosed: { made: ['no-listener'] }, ...nothingHere },
      ),
    },
    {
      title: `nothing listens on a port of a real host ${over}`,
      ...server(7015),
      truth: truth(
        'closed',
        'conn-refused',
        { made: ['no-listener'], alike: ['firewall-rejects'] },
        nothingHere,
      ),
    },
    // the firewall of this machine, and that of the server
    {
      title: `the firewall of this machine drops a port ${over}`,
      ...server(7001),
      truth: truth('filtered', 'no-response', hidden('local-firewall', 'firewall-drops')),
    },
    {
      title: `the firewall of the server drops a port ${over}`,
      ...server(7011),
      truth: truth(
        'filtered',
        'no-response',
        {
          made: ['firewall-drops'],
          alike: ['host-absent'],
        },
        { diagnosed: { made: ['firewall-drops'] }, ...nothingHere },
      ),
    },
    {
      title: `the firewall of this machine rejects a port ${over}`,
      ...server(7002),
      ...patient,
      truth: truth('closed', 'conn-refused', hidden('local-firewall', 'firewall-rejects')),
    },
    {
      title: `the firewall of the server rejects a port ${over}`,
      ...server(7012),
      ...patient,
      truth: truth(
        'closed',
        'conn-refused',
        { made: ['firewall-rejects'], alike: ['no-listener'] },
        nothingHere,
      ),
    },
    {
      title: `the firewall of this machine resets connections to a port ${over}`,
      ...server(7003),
      truth: truth('closed', 'conn-refused', hidden('local-firewall', 'firewall-rejects')),
    },
    {
      title: `the firewall of the server resets connections to a port ${over}`,
      ...server(7013),
      truth: truth(
        'closed',
        'conn-refused',
        { made: ['firewall-rejects'], alike: ['no-listener'] },
        nothingHere,
      ),
    },
    {
      title: `the firewall of this machine prohibits a port ${over}`,
      ...server(7004),
      ...patient,
      truth: truth(
        'filtered',
        isV4 ? 'host-unreach' : 'admin-prohibited',
        hidden('local-firewall', 'firewall-rejects'),
      ),
    },
    {
      title: `the firewall of the server prohibits a port ${over}`,
      ...server(7014),
      ...patient,
      truth: truth(
        'filtered',
        isV4 ? 'host-unreach' : 'admin-prohibited',
        {
          made: ['firewall-rejects'],
        },
        nothingHere,
      ),
    },
    {
      title: `the firewall of this machine resets connections to every port of a host ${over}`,
      target: [RESET_HOST[family], 7000],
      truth: truth('closed', 'conn-refused', hidden('local-firewall', 'firewall-rejects')),
    },
    {
      title: `the firewall of this machine drops everything for a host ${over}`,
      target: [DROPPED_HOST[family], 7000],
      truth: truth('filtered', 'no-response', hidden('local-firewall', 'firewall-drops')),
    },
    {
      title: `no host is at an address of this network ${over}`,
      target: [ABSENT[family], 7000],
      options: ['-w', '4s'],
      truth: truth('filtered', 'host-unreach', { made: ['host-absent'] }),
    },
    // this machine itself
    {
      title: `nothing listens on a port of this machine ${over}`,
      ...own(7025),
      truth: truth('closed', 'conn-refused', { made: ['no-listener'] }, nothingHere),
    },
    {
      title: `a service listens on loopback only ${over}`,
      ...own(7021),
      truth: truth(
        'closed',
        'conn-refused',
        {
          made: ['no-listener'],
        },
        { diagnosed: { made: ['bound-to-loopback'] }, ...nothingHere },
      ),
    },
    {
      title: `the firewall of this machine drops what comes for an own port ${over}`,
      ...own(7020),
      truth: truth('filtered', 'no-response', hidden('local-firewall', 'firewall-drops')),
    },
    {
      title: `the firewall of this machine drops what comes for an own address only ${over}`,
      ...own(7024),
      truth: truth('filtered', 'no-response', hidden('local-firewall', 'firewall-drops')),
    },
    {
      title: `the firewall of this machine resets what comes for an own address only ${over}`,
      ...own(7023),
      truth: truth(
        'closed',
        'conn-refused',
        {
          made: ['firewall-rejects'],
          alike: ['no-listener'],
        },
        { diagnosed: { made: ['local-firewall'] } },
      ),
    },
    // routes
    {
      title: `there is no route ${over}`,
      target: [isV4 ? '10.93.0.1' : 'fd93::1', 7000],
      truth: truth('failed', 'no-route', { made: ['no-route-here'] }),
    },
    {
      title: `a route prohibits ${over}`,
      target: [isV4 ? '10.94.0.1' : 'fd94::1', 7000],
      truth: truth('failed', 'not-permitted', { made: ['not-permitted-here'] }),
    },
    {
      title: `a route is a blackhole ${over}`,
      target: [isV4 ? '10.95.0.1' : 'fd95::1', 7000],
      truth: truth('failed', 'no-route', { made: ['no-route-here'] }),
    },
    {
      title: `a route is unreachable ${over}`,
      target: [isV4 ? '10.96.0.1' : 'fd96::1', 7000],
      truth: truth('failed', 'no-route', { made: ['no-route-here'] }),
    },
    // source addresses and ports
    {
      title: `the source address is another machine's ${over}`,
      ...server(7000),
      options: ['--source', isV4 ? '10.77.0.77' : 'fd77::77'],
      truth: truth('failed', 'bad-source', { made: ['bad-source'] }),
    },
    {
      title: `the source address is this machine's ${over}`,
      ...server(7000),
      options: ['--source', CLIENT[family]],
      truth: truth('open', null, { made: [] }, { facts: ['host-up'] }),
    },
    {
      title: `no source port is left ${over}`,
      target: [isV4 ? '127.0.0.1' : '::1', 9],
      wrapper: withoutPorts,
      truth: truth('failed', 'no-ports-left', { made: ['no-ports'] }),
    },
    {
      title: `no source port is left at the source address ${over}`,
      target: [isV4 ? '127.0.0.1' : '::1', 9],
      options: ['--source', isV4 ? '127.0.0.1' : '::1'],
      wrapper: withoutPorts,
      truth: truth('failed', 'no-ports-left', { made: ['no-ports'] }),
    },
  ];
});

export const MACHINE: readonly Situation[] = situations;
