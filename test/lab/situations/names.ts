import type { DnsZone } from '../../support/dns-server.js';
import type { Addresses } from '../../support/lab.js';
import type { ScriptedRule } from '../../support/scripted-host.js';
import type { Cause } from './claims.js';
import { PORT, type Situation, type Truth } from './situation.js';

/** Addresses that the names have. */
const OPEN: Addresses = { v4: '10.90.200.1', v6: 'fd90::c801' };
const SILENT: Addresses = { v4: '10.90.200.2', v6: 'fd90::c802' };
const CLOSED: Addresses = { v4: '10.90.200.3', v6: 'fd90::c803' };

/** A server that a router reports as unreachable. */
const LOST_SERVER = '10.90.200.53';

export const NAME_RULES: readonly ScriptedRule[] = [
  { address: OPEN.v4, answers: ['syn-ack'] },
  { address: OPEN.v6, answers: ['syn-ack'] },
  { address: CLOSED.v4, answers: ['reset'] },
  { address: CLOSED.v6, answers: ['reset'] },
  {
    address: LOST_SERVER,
    protocol: 'udp',
    answers: [{ send: 'icmp', type: 3, code: 1, from: '10.90.200.254' }],
  },
];

const both = { A: [OPEN.v4], AAAA: [OPEN.v6] };

export const ZONE: DnsZone = {
  'both.test': both,
  'v4.test': { A: [OPEN.v4] },
  'v6.test': { AAAA: [OPEN.v6] },
  'slow.test': { ...both, delayMs: 400 },
  'late.test': { ...both, delayMs: 2500 },
  'tardy.test': { A: [OPEN.v4], delayMs: 1700 },
  'refusing.test': { A: [CLOSED.v4] },
  'slow-a.test': { A: [OPEN.v4], delayMs: { A: 200 } },
  'slow-aaaa.test': { AAAA: [OPEN.v6], delayMs: { AAAA: 200 } },
  'nodata.test': 'NODATA',
  'alias4.test': { CNAME: 'v4.test' },
  'alias6.test': { CNAME: 'v6.test' },
  'slow-alias.test': { CNAME: 'slow-a.test' },
  'bare-alias.test': { CNAME: 'nodata.test' },
  'dangling.test': { CNAME: 'missing.test' },
  'loop.test': { CNAME: 'loop2.test' },
  'loop2.test': { CNAME: 'loop.test' },
  'servfail.test': 'SERVFAIL',
  'refused.test': 'REFUSED',
  'formerr.test': 'FORMERR',
  'notimp.test': 'NOTIMP',
  'silent.test': 'silent',
  'nodata-soa.test': 'NODATA SOA',
  'nodata-own.test': 'NODATA AUTHORITATIVE',
  'referral.test': 'REFERRAL',
  'bare-referral.test': 'REFERRAL BARE',
  'no-recursion.test': 'NO RECURSION',
  'referred-alias.test': { CNAME: 'referral.test' },
  'no-recursion-then-found.test': 'REFERRAL',
  'formerr-then-found.test': 'FORMERR',
  'nodata-then-servfail.test': 'NODATA SOA',
  'found-then-servfail.test': { A: [OPEN.v4] },
  'found-then-referral.test': { A: [OPEN.v4] },
  'aaaa-silent.test': { A: [OPEN.v4], AAAA: 'silent' },
  'a-silent.test': { A: 'silent', AAAA: [OPEN.v6] },
  'a-silent-alone.test': { A: 'silent' },
  'aaaa-silent-alone.test': { AAAA: 'silent' },
  'aaaa-servfail.test': { A: [OPEN.v4], AAAA: 'SERVFAIL' },
  'zero.test': { A: ['0.0.0.0'] },
  'zero6.test': { AAAA: ['::'] },
  'zeros.test': { A: ['0.0.0.0'], AAAA: ['::'] },
  'zero-and-more.test': { A: ['0.0.0.0', OPEN.v4] },
  'long.test': { ...both, truncated: true },
  'moved.test': { A: [SILENT.v4] },
  'gone.test': 'NXDOMAIN',
  'override.test': { A: [OPEN.v4] },
  'same.test': { A: [OPEN.v4] },
  'db.corp.test': { A: [OPEN.v4] },
};

/** The zone of the second server, where it differs. */
export const SECOND_ZONE: DnsZone = {
  ...ZONE,
  'moved.test': { A: [OPEN.v4] },
  'gone.test': { A: [OPEN.v4] },
  'no-recursion-then-found.test': { A: [OPEN.v4] },
  'formerr-then-found.test': { A: [OPEN.v4] },
  'bare-referral.test': { A: [OPEN.v4] },
  'nodata-then-servfail.test': 'SERVFAIL',
  'found-then-servfail.test': 'SERVFAIL',
  'found-then-referral.test': 'REFERRAL',
};

/** DNS servers by what they do. */
export const SERVERS = {
  good: '127.0.0.1',
  /** Has other addresses for some names. */
  second: '127.0.0.2',
  silent: '127.0.0.3',
  /** No program listens there. */
  dead: '127.0.0.4',
  servfail: '127.0.0.5',
  /** Replies from another address. */
  elsewhere: '127.0.0.8',
  refused: '127.0.0.6',
  /** Listens on UDP only. */
  noTcp: '127.0.0.7',
  /** In the server's namespace: a firewall there, or here, acts on all but the first. */
  far: '10.77.0.50',
  droppedHere: '10.77.0.51',
  rejectedHere: '10.77.0.52',
  prohibitedHere: '10.77.0.53',
  droppedThere: '10.77.0.54',
  rejectedThere: '10.77.0.55',
  /** This machine has no route there. */
  noRoute: '10.93.0.53',
  lost: LOST_SERVER,
} as const;

/** Firewall rules of the client and of the server, in nft's language. */
export const CLIENT_RULES = `
  add table inet dns
  add chain inet dns output { type filter hook output priority 0; }
  add rule inet dns output ip daddr ${SERVERS.droppedHere} drop
  add rule inet dns output ip daddr ${SERVERS.rejectedHere} reject
  add rule inet dns output ip daddr ${SERVERS.prohibitedHere} reject with icmp admin-prohibited`;
export const SERVER_RULES = `
  add table inet dns
  add chain inet dns input { type filter hook input priority 0; }
  add rule inet dns input ip daddr ${SERVERS.droppedThere} drop
  add rule inet dns input ip daddr ${SERVERS.rejectedThere} reject`;

type Server = keyof typeof SERVERS;

const ask = (name: string, servers: readonly Server[] = ['good']): Partial<Situation> => ({
  target: [name, PORT],
  resolver: { nameservers: servers.map((each) => SERVERS[each]) },
});

/** Asks one server with --dns instead of the system's resolver. */
const askDirectly = (name: string, server: Server = 'good'): Partial<Situation> => ({
  target: [name, PORT],
  options: ['--dns', SERVERS[server]],
});

const found = (address: string): Truth => ({
  state: 'open',
  reason: null,
  address,
  made: [],
  facts: ['host-up'],
});

const unresolved = (reason: string, ...made: Cause[]): Truth => ({
  state: 'unresolved',
  reason,
  made,
});

const notFound = unresolved('name-not-found', 'no-such-name');
const noAddress = unresolved('name-no-address', 'no-address');
const failed = (...made: Cause[]) => unresolved('resolver-failed', ...made);
const timedOut = unresolved('resolver-timeout', 'dns-silent');

function situation(title: string, asked: Partial<Situation>, truth: Truth): Situation {
  return { title, ...asked, truth };
}

const withOptions = (asked: Partial<Situation>, ...options: string[]): Partial<Situation> => ({
  ...asked,
  options: [...options, ...(asked.options ?? [])],
});

/** The same name asked of the system and with --dns. */
function bothWays(title: string, name: string, truth: Truth, ...options: string[]): Situation[] {
  return [
    situation(`${title}, by the system`, withOptions(ask(name), ...options), truth),
    situation(`${title}, by --dns`, withOptions(askDirectly(name), ...options), truth),
  ];
}

const plainNames = [
  ...bothWays('a name has both addresses', 'both.test', found(OPEN.v6)),
  ...bothWays('a name has an IPv4 address', 'v4.test', found(OPEN.v4)),
  ...bothWays('a name has an IPv6 address', 'v6.test', found(OPEN.v6)),
  ...bothWays('a name does not exist', 'missing.test', notFound),
  ...bothWays('a name does not exist, -4', 'missing.test', notFound, '-4'),
  ...bothWays('a name does not exist, -6', 'missing.test', notFound, '-6'),
  ...bothWays('a name has no record', 'nodata.test', noAddress),
  ...bothWays('a name has no AAAA record, -6', 'v4.test', noAddress, '-6'),
  ...bothWays('a name has no A record, -4', 'v6.test', noAddress, '-4'),
  ...bothWays('answers take 400 ms', 'slow.test', found(OPEN.v6)),
  ...bothWays('the server fails', 'servfail.test', failed('servfail')),
  ...bothWays('the server refuses', 'refused.test', failed('dns-refused')),
  ...bothWays('the server is silent', 'silent.test', timedOut),
];

/** Answers without an address that are no statement about the name, and those that are. */
const referrals = [
  ...(['referral', 'bare-referral', 'no-recursion', 'referred-alias'] as const).flatMap((name) =>
    bothWays(`the server does no recursion: ${name}`, `${name}.test`, failed('dns-no-recursion')),
  ),
  ...bothWays('a name has no record, with SOA', 'nodata-soa.test', noAddress),
  ...bothWays('a name has no record, of its own server', 'nodata-own.test', noAddress),
  situation(
    'the first server refers to others, and the second has the name',
    ask('no-recursion-then-found.test', ['good', 'second']),
    failed('dns-no-recursion'),
  ),
  situation(
    'the first server refers to others so that the system asks the second, which has the name',
    ask('bare-referral.test', ['good', 'second']),
    { ...found(OPEN.v4), besides: ['dns-no-recursion'] },
  ),
  situation(
    'the first server sends FORMERR, and the second has the name',
    ask('formerr-then-found.test', ['good', 'second']),
    failed('dns-broken'),
  ),
  situation(
    'the first server has no record, and the second fails',
    ask('nodata-then-servfail.test', ['good', 'second']),
    noAddress,
  ),
  situation(
    'the first server refers to others, and the second is silent',
    ask('referral.test', ['good', 'silent']),
    failed('dns-no-recursion'),
  ),
  ...(['formerr.test', 'servfail.test'] as const).map((host) =>
    situation(
      `the system asks no DNS server, and the only one fails for ${host}`,
      { ...ask(host), resolver: { nameservers: [SERVERS.good], nsswitch: 'files' } },
      { ...notFound, diagnosed: { made: ['no-dns-source'] } },
    ),
  ),
  ...(['formerr-then-found.test', 'no-recursion-then-found.test'] as const).map((host) =>
    situation(
      `the system asks no DNS server, and of two the second has the name ${host}`,
      {
        ...ask(host),
        resolver: { nameservers: [SERVERS.good, SERVERS.second], nsswitch: 'files' },
      },
      { ...notFound, diagnosed: { made: ['resolver-config'] } },
    ),
  ),
  ...(['servfail', 'referral'] as const).map((second) =>
    situation(
      `the system asks no DNS server, and of two the second says: ${second}`,
      {
        ...ask(`found-then-${second}.test`),
        resolver: { nameservers: [SERVERS.good, SERVERS.second], nsswitch: 'files' },
      },
      { ...notFound, diagnosed: { made: ['resolver-config'] } },
    ),
  ),
];

const aliases = [
  ...bothWays('an alias has an IPv4 address', 'alias4.test', found(OPEN.v4)),
  ...bothWays('an alias has an IPv6 address', 'alias6.test', found(OPEN.v6)),
  ...bothWays('an alias has no AAAA record, -6', 'alias4.test', noAddress, '-6'),
  ...bothWays('an alias has no A record, -4', 'alias6.test', noAddress, '-4'),
  ...bothWays('an alias has no record', 'bare-alias.test', noAddress),
  ...bothWays('an alias points to a name that does not exist', 'dangling.test', notFound),
  ...bothWays('aliases form a loop', 'loop.test', {
    ...unresolved('name-no-address', 'alias-loop'),
    besides: ['no-address'],
  }),
  ...bothWays('the A record comes 200 ms after an empty AAAA', 'slow-a.test', found(OPEN.v4)),
  ...bothWays('the AAAA record comes 200 ms after an empty A', 'slow-aaaa.test', found(OPEN.v6)),
  ...bothWays("an alias' A record comes 200 ms later", 'slow-alias.test', found(OPEN.v4)),
];

/** One type is silent. The system's resolver here waits 1 s, as its options say. */
const silentTypes = [
  situation('AAAA is dropped, by --dns', askDirectly('aaaa-silent.test'), found(OPEN.v4)),
  situation('A is dropped, by --dns', askDirectly('a-silent.test'), found(OPEN.v6)),
  situation('AAAA is dropped, -4', withOptions(ask('aaaa-silent.test'), '-4'), found(OPEN.v4)),
  situation('AAAA is dropped, -6', withOptions(ask('aaaa-silent.test'), '-6'), timedOut),
  situation('A is dropped, -4', withOptions(ask('a-silent.test'), '-4'), timedOut),
  situation(
    'AAAA is dropped, and the system waits longer than we do',
    {
      ...ask('aaaa-silent.test'),
      resolver: { nameservers: [SERVERS.good], options: 'timeout:5 attempts:2' },
    },
    timedOut,
  ),
  situation(
    'A is dropped, and the system waits longer than we do',
    {
      ...ask('a-silent.test'),
      resolver: { nameservers: [SERVERS.good], options: 'timeout:5 attempts:2' },
    },
    timedOut,
  ),
  situation('A is dropped and AAAA is empty', ask('a-silent-alone.test'), timedOut),
  situation('AAAA is dropped and A is empty', ask('aaaa-silent-alone.test'), timedOut),
  situation('AAAA fails', ask('aaaa-servfail.test'), found(OPEN.v4)),
];

const severalServers = [
  situation('both of two servers answer', ask('both.test', ['good', 'second']), found(OPEN.v6)),
  situation(
    'the first server does not listen and the second answers',
    ask('both.test', ['dead', 'good']),
    { ...found(OPEN.v6), besides: ['dns-not-listening'] },
  ),
  situation(
    'the first server is silent, and the system waits longer than we do',
    {
      ...ask('both.test', ['silent', 'good']),
      resolver: {
        nameservers: [SERVERS.silent, SERVERS.good],
        options: 'timeout:5 attempts:2',
      },
    },
    timedOut,
  ),
  situation(
    'the server answers later than the system waits',
    {
      ...ask('tardy.test'),
      resolver: { nameservers: [SERVERS.good], options: 'timeout:1 attempts:1' },
      options: ['-w', '4s'],
    },
    unresolved('resolver-timeout', 'dns-slow'),
  ),
  ...(['gone there', 'right'] as const).map((which) =>
    situation(
      `another address is open, and the one in DNS is ${which}`,
      {
        target: [which === 'right' ? 'refusing.test' : 'moved.test', PORT],
        resolver: { nameservers: [SERVERS.good] },
        options: ['--ip', OPEN.v4],
        modes: ['diagnose'],
      },
      which === 'right'
        ? {
            state: 'closed',
            reason: 'conn-refused',
            made: ['no-listener', 'address-at-fault'],
            alike: ['stale-address'],
            facts: ['host-up'],
          }
        : {
            state: 'filtered',
            reason: 'no-response',
            made: ['stale-address'],
            alike: ['address-at-fault'],
            besides: ['firewall-drops'],
          },
    ),
  ),
  situation(
    'the first server fails and the second answers',
    ask('both.test', ['servfail', 'good']),
    {
      ...found(OPEN.v6),
      besides: ['servfail'],
    },
  ),
  situation(
    'the first server refuses and the second answers',
    ask('both.test', ['refused', 'good']),
    { ...found(OPEN.v6), besides: ['dns-refused'] },
  ),
  situation('the server replies from another address', ask('both.test', ['elsewhere']), {
    ...timedOut,
    made: ['dns-other-address'],
    alike: ['dns-silent', 'dns-slow'],
  }),
  situation('both servers are silent', ask('both.test', ['silent', 'silent']), timedOut),
  situation('only the second server has the name', ask('gone.test', ['good', 'second']), {
    ...unresolved('name-not-found', 'no-such-name'),
    diagnosed: { made: ['servers-disagree'], besides: ['no-such-name'] },
  }),
  situation(
    'the second server has another address, where the port is open',
    ask('moved.test', ['good', 'second']),
    {
      state: 'filtered',
      reason: 'no-response',
      address: SILENT.v4,
      made: ['firewall-drops'],
      alike: ['host-absent'],
      besides: ['servers-disagree'],
    },
  ),
];

const unreachableServers = [
  situation(
    'no program listens at the server',
    ask('both.test', ['dead']),
    failed('dns-not-listening'),
  ),
  situation('no program listens at the server of --dns', askDirectly('both.test', 'dead'), {
    ...failed('dns-not-listening'),
  }),
  ...(['system', '--dns'] as const).flatMap((by) => {
    const via = (server: Server) =>
      by === 'system' ? ask('both.test', [server]) : askDirectly('both.test', server);
    return [
      situation(`a far server answers, by ${by}`, via('far'), found(OPEN.v6)),
      situation(`this machine drops DNS, by ${by}`, via('droppedHere'), {
        ...unresolved('resolver-failed', 'dns-blocked-here'),
        reason: ['resolver-failed', 'resolver-timeout'],
      }),
      situation(`this machine rejects DNS, by ${by}`, via('rejectedHere'), {
        ...failed('dns-blocked-here'),
      }),
      situation(`this machine prohibits DNS, by ${by}`, via('prohibitedHere'), {
        ...failed('dns-blocked-here'),
      }),
      situation(`a firewall at the server drops DNS, by ${by}`, via('droppedThere'), timedOut),
      situation(`a firewall at the server rejects DNS, by ${by}`, via('rejectedThere'), {
        ...failed('dns-firewall'),
        alike: ['dns-not-listening'],
      }),
      situation(
        `there is no route to the server, by ${by}`,
        via('noRoute'),
        failed('dns-no-route'),
      ),
      // Linux reports this error only to sockets that ask for it, as the system's resolver does.
      situation(`a router does not find the server, by ${by}`, via('lost'), {
        ...timedOut,
        reason: ['resolver-failed', 'resolver-timeout'],
      }),
      situation(
        `answers are truncated, and TCP works, by ${by}`,
        {
          ...via('good'),
          target: ['long.test', PORT],
        },
        found(OPEN.v6),
      ),
      situation(
        `answers are truncated, and TCP is closed, by ${by}`,
        {
          ...via('noTcp'),
          target: ['long.test', PORT],
        },
        failed('dns-no-tcp'),
      ),
    ];
  }),
];

const hosts = (line: string, extra: object = {}): Partial<Situation> => ({
  resolver: { nameservers: [SERVERS.good], hosts: line, ...extra },
});

const hostsFile = [
  situation(
    'the hosts file has another address than DNS, where the port is open',
    { ...ask('override.test'), ...hosts(`${SILENT.v4} override.test`) },
    {
      state: 'filtered',
      reason: 'no-response',
      address: SILENT.v4,
      made: ['firewall-drops'],
      alike: ['host-absent'],
      diagnosed: { made: ['hosts-file'], besides: ['firewall-drops'] },
    },
  ),
  situation(
    'the hosts file has the same address as DNS',
    { ...ask('same.test'), ...hosts(`${OPEN.v4} same.test`) },
    found(OPEN.v4),
  ),
  situation(
    'the hosts file has the name, but it is asked with a final dot',
    { ...ask('override.test.'), ...hosts(`${SILENT.v4} override.test`) },
    found(OPEN.v4),
  ),
  situation(
    'the hosts file has an address of the other family, -4',
    { ...withOptions(ask('override.test'), '-4'), ...hosts(`${SILENT.v6} override.test`) },
    found(OPEN.v4),
  ),
  situation(
    'the hosts file has another address, but --dns is used',
    {
      target: ['override.test', PORT],
      options: ['--dns', SERVERS.good],
      ...hosts(`${SILENT.v4} override.test`),
    },
    found(OPEN.v4),
  ),
  situation(
    'DNS comes before the hosts file',
    { ...ask('override.test'), ...hosts(`${SILENT.v4} override.test`, { nsswitch: 'dns files' }) },
    found(OPEN.v4),
  ),
  situation(
    'only the hosts file has the name',
    { ...ask('local.test'), ...hosts(`${OPEN.v4} local.test`) },
    { ...found(OPEN.v4), besides: ['no-such-name'] },
  ),
  situation(
    'the system asks no DNS server',
    { ...ask('v4.test'), ...hosts('', { nsswitch: 'files' }) },
    { ...notFound, diagnosed: { made: ['resolver-config'] } },
  ),
  situation(
    'a name exists only with a search domain that the system appends',
    { ...ask('db'), ...hosts('', { search: ['corp.test'] }) },
    { ...found(OPEN.v4), besides: ['search-domain', 'no-such-name'] },
  ),
  situation(
    'a name exists only with a search domain, but is asked with a final dot',
    { ...ask('db.'), ...hosts('', { search: ['corp.test'] }) },
    notFound,
  ),
];

const blocked: Truth = unresolved('name-no-address', 'blocked-answer');

const blockedNames = [
  ...bothWays('DNS answers 0.0.0.0', 'zero.test', blocked),
  ...bothWays('DNS answers ::', 'zero6.test', blocked),
  ...bothWays('DNS answers 0.0.0.0 and ::', 'zeros.test', blocked),
  ...bothWays('DNS answers 0.0.0.0 and an address', 'zero-and-more.test', found(OPEN.v4)),
];

export const NAMES: readonly Situation[] = [
  ...plainNames,
  ...referrals,
  ...aliases,
  ...silentTypes,
  ...severalServers,
  ...unreachableServers,
  ...hostsFile,
  ...blockedNames,
];
