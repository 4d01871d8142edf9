import type { Addresses } from '../../support/lab.js';
import type { Cause } from './claims.js';
import type { Causes, Situation, Truth } from './situation.js';

/** A port at which the router answers for every IPv4 address outside this network. */
const PORTAL = 7030;

const SERVER: Addresses = { v4: '10.78.0.2', v6: 'fd78::2' };
const ABSENT: Addresses = { v4: '10.78.0.88', v6: 'fd78::88' };

/** Its answers have no way back to the client. */
export const NO_WAY_BACK: Addresses = { v4: '10.78.0.70', v6: 'fd78::70' };

/** A gateway that is not there. */
export const DEAD_GATEWAY = '10.77.0.77';

/** A greeting that fits only into a large packet. */
export const LONG_GREETING = `220 ${'x'.repeat(1200)}\r\n`;

/** What a proxy says in place of a service with TLS. */
export const BLOCK_PAGE = 'HTTP/1.1 302 Found\r\nLocation: http://portal.test/\r\n\r\n';

/** Where programs listen. */
export const LISTENERS = [
  { role: 'server', address: '::', ports: [443, PORTAL, 7001, 7002, 7003, 7004, 7005, 7006] },
  { role: 'router', address: '::', ports: [PORTAL] },
  { role: 'client', address: '::', ports: [7031] },
] as const;

/** The firewall of the router, and its portal. */
export const ROUTER_RULES = `
  add table inet lab
  add chain inet lab forward { type filter hook forward priority 0; }
  add rule inet lab forward tcp dport 7001 drop
  add rule inet lab forward tcp dport 7002 reject
  add rule inet lab forward tcp dport 7003 reject with tcp reset
  add rule inet lab forward tcp dport 7004 reject with icmpx type admin-prohibited
  add rule inet lab forward tcp dport 7005 tcp flags & psh == psh reject with tcp reset
  add rule inet lab forward tcp dport 7006 tcp flags & psh == psh drop
  add rule inet lab forward tcp sport 7009 meta length > 600 drop
  add table ip portal
  add chain ip portal prerouting { type nat hook prerouting priority -100; }
  add rule ip portal prerouting ip daddr 10.77.0.0/24 accept
  add rule ip portal prerouting tcp dport 7032 redirect
  add rule ip portal prerouting tcp dport ${PORTAL} dnat to ${SERVER.v4}`;

/** A redirect on the client. */
export const CLIENT_RULES = `
  add table inet here
  add chain inet here output { type nat hook output priority -100; }
  add rule inet here output tcp dport 7031 redirect`;

/** Routes of the router. The server sends back what comes for the last. */
export const ROUTER_ROUTES = [
  'unreachable 10.95.0.0/24',
  'unreachable fd95::/64',
  'prohibit 10.96.0.0/24',
  'prohibit fd96::/64',
  'blackhole 10.97.0.0/24',
  'blackhole fd97::/64',
  `10.98.0.0/24 via ${SERVER.v4}`,
  `fd98::/64 via ${SERVER.v6}`,
];

const FAMILIES = ['v4', 'v6'] as const;

const filtered = (reason: string, causes: Causes, rest: Partial<Truth> = {}): Truth => ({
  state: 'filtered',
  reason,
  ...causes,
  ...rest,
});

/**
 * A router's ICMP errors with Linux's limit on their rate: without the error it looks like silence.
 * No cause must be named. A conclusion that names any must name this one, or a firewall that drops.
 */
const limited = (reason: string, made: Cause): Truth => ({
  state: 'filtered',
  reason: [reason, 'no-response'],
  made: [],
  besides: [made, 'firewall-drops'],
  varies: true,
});

const both = FAMILIES.flatMap((family): Situation[] => {
  const over = `over IP${family}`;
  const isV4 = family === 'v4';
  const away = (number: number) => ({
    target: [isV4 ? `10.${number}.0.1` : `fd${number}::1`, 7000] as const,
  });
  const server = (port: number) => ({ target: [SERVER[family], port] as const });
  const isUp = { facts: ['host-up'] } as const;
  return [
    {
      title: `a router drops a port of a host ${over}`,
      ...server(7001),
      truth: filtered(
        'no-response',
        { made: ['firewall-drops'], alike: ['host-absent'] },
        { diagnosed: { made: ['firewall-drops'] }, ...isUp },
      ),
    },
    {
      title: `a router rejects a port of a host with "port unreachable" ${over}`,
      ...server(7002),
      truth: {
        state: 'closed',
        reason: 'conn-refused',
        made: ['firewall-rejects'],
        alike: ['no-listener'],
        ...isUp,
      },
    },
    {
      title: `a router resets connections to a port of a host ${over}`,
      ...server(7003),
      truth: {
        state: 'closed',
        reason: 'conn-refused',
        made: ['firewall-rejects'],
        alike: ['no-listener'],
        ...isUp,
      },
    },
    {
      title: `a router prohibits a port of a host ${over}`,
      ...server(7004),
      truth: filtered(
        isV4 ? 'host-unreach' : 'admin-prohibited',
        { made: ['firewall-rejects'] },
        isUp,
      ),
    },
    {
      title: `a router gets no answer to ARP or neighbour discovery ${over}`,
      target: [ABSENT[family], 7000],
      options: ['-w', '4500ms'],
      truth: limited('host-unreach', 'host-absent'),
    },
    {
      title: `a router has an unreachable route ${over}`,
      ...away(95),
      truth: isV4
        ? limited('host-unreach', 'host-absent')
        : limited('net-unreach', 'no-route-on-the-way'),
    },
    {
      title: `a router has a route that prohibits ${over}`,
      ...away(96),
      truth: limited(isV4 ? 'host-unreach' : 'admin-prohibited', 'firewall-rejects'),
    },
    {
      title: `a router has a blackhole ${over}`,
      ...away(97),
      truth: filtered('no-response', { made: ['firewall-drops'], alike: ['host-absent'] }),
    },
    {
      title: `a host has no way back ${over}`,
      target: [NO_WAY_BACK[family], 443],
      truth: filtered(
        'no-response',
        { made: ['lost-on-the-way'], alike: ['firewall-drops', 'host-absent'] },
        isUp,
      ),
    },
    {
      title: `routers send packets in circles ${over}`,
      ...away(98),
      truth: filtered('host-unreach', {
        made: ['loop'],
        alike: ['firewall-rejects', 'host-absent'],
      }),
    },
  ];
});

const opened: Truth = { state: 'open', reason: null, made: [] };
const reached: Truth = { ...opened, facts: ['host-up'] };

const portal: readonly Situation[] = [
  {
    title: 'a portal answers in place of a host',
    target: ['10.79.0.1', PORTAL],
    modes: ['diagnose'],
    truth: { ...opened, made: ['portal'] },
  },
  {
    title: 'a host answers over IPv6 while a portal answers for IPv4 addresses',
    target: [SERVER.v6, PORTAL],
    modes: ['diagnose'],
    truth: reached,
  },
  {
    title: 'a host of this network answers while a portal answers for others',
    target: ['10.77.0.254', PORTAL],
    modes: ['diagnose'],
    truth: reached,
  },
  {
    title: 'a host behind the router answers, and no portal does',
    target: [SERVER.v4, 443],
    modes: ['diagnose'],
    truth: reached,
  },
];

/** IPv6 falls back to another router. */
const deadGateway = (['2s', '4500ms'] as const).map((timeout): Situation => ({
  title: `a gateway is down, -w ${timeout}`,
  target: ['10.99.0.1', 7000],
  options: ['-w', timeout],
  truth: {
    ...filtered('', { made: ['lost-on-the-way'] }),
    reason: ['host-unreach', 'no-response'],
    varies: true,
  },
}));

/** What becomes of data after the handshake. */
const data = FAMILIES.flatMap((family): Situation[] =>
  (
    [
      ['resets data', 7005, 'http', 'dropped', 'data-stopped', 'refuses-client'],
      ['drops data', 7006, 'http', 'silent', 'data-stopped', 'small-mtu'],
      ['drops large packets', 7009, 'smtp', 'silent', 'small-mtu', 'data-stopped'],
    ] as const
  ).map(([does, port, service, reason, made, alike]) => ({
    title: `a router ${does} over IP${family}`,
    target: [SERVER[family], port],
    options: ['--service', service],
    modes: ['plain'],
    truth: { ...opened, reason, exitCode: 6, made: [made], alike: [alike] },
  })),
);

const replaced: Situation = {
  title: 'a proxy answers in clear text in place of a service with TLS',
  target: [SERVER.v4, 7032],
  options: ['--service', 'https'],
  modes: ['plain'],
  truth: {
    ...opened,
    reason: 'tls-failed',
    exitCode: 6,
    made: ['proxy-answers'],
    alike: ['no-tls'],
  },
};

const redirected: Situation = {
  title: 'this machine redirects a port of every host to itself',
  target: [SERVER.v4, 7031],
  modes: ['diagnose'],
  truth: { ...opened, made: ['redirect-here'], alike: ['portal'] },
};

export const ROUTED: readonly Situation[] = [
  ...both,
  ...deadGateway,
  ...data,
  ...portal,
  replaced,
  redirected,
];
