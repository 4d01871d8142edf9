import type { State } from '../../../src/core/states.js';
import type { ScriptedAnswer } from '../../support/scripted-host.js';
import type { Cause } from './claims.js';
import type { Answers, Causes, Site, Situation, Truth } from './situation.js';

type Family = 4 | 6;
const FAMILIES: readonly Family[] = [4, 6];

/** What the kernel makes of an ICMP error: the state and reason that a probe sees. */
type Sight =
  | 'refused'
  | 'host-unreach'
  | 'net-unreach'
  | 'proto-unreach'
  | 'admin-prohibited'
  | 'icmp-error'
  | 'ignored';

/** An ICMP error, what a probe sees of it, and the cause for which a router or host sends it. */
interface IcmpRow {
  type: number;
  code: number;
  name: string;
  sight: Sight;
  made: Cause;
}

const row = (
  [type, code]: readonly [number, number],
  name: string,
  sight: Sight,
  made: Cause = 'firewall-rejects',
): IcmpRow => ({ type, code, name, sight, made });

/** All types and codes (RFC 792, 1122, 1812, 4443, 8883). */
const ICMP: Readonly<Record<Family, readonly IcmpRow[]>> = {
  4: [
    row([3, 0], 'network unreachable', 'net-unreach', 'no-route-on-the-way'),
    row([3, 1], 'host unreachable', 'host-unreach', 'host-absent'),
    row([3, 2], 'protocol unreachable', 'proto-unreach'),
    row([3, 3], 'port unreachable', 'refused'),
    row([3, 4], 'fragmentation needed', 'ignored', 'firewall-drops'),
    row([3, 5], 'source route failed', 'icmp-error', 'icmp-error'),
    row([3, 6], 'network unknown', 'net-unreach', 'no-route-on-the-way'),
    row([3, 7], 'host unknown', 'host-unreach', 'host-absent'),
    row([3, 8], 'source host isolated', 'icmp-error', 'icmp-error'),
    row([3, 9], 'network prohibited', 'net-unreach'),
    row([3, 10], 'host prohibited', 'host-unreach'),
    row([3, 11], 'network unreachable for this service', 'net-unreach', 'no-route-on-the-way'),
    row([3, 12], 'host unreachable for this service', 'host-unreach', 'host-absent'),
    row([3, 13], 'administratively prohibited', 'host-unreach'),
    row([3, 14], 'host precedence violation', 'host-unreach'),
    row([3, 15], 'precedence cutoff', 'host-unreach'),
    row([4, 0], 'source quench', 'ignored', 'firewall-drops'),
    row([11, 0], 'time exceeded', 'host-unreach', 'loop'),
    row([11, 1], 'reassembly time exceeded', 'ignored', 'firewall-drops'),
    row([12, 0], 'parameter problem', 'icmp-error', 'icmp-error'),
    row([12, 1], 'missing option', 'icmp-error', 'icmp-error'),
  ],
  6: [
    row([1, 0], 'no route', 'net-unreach', 'no-route-on-the-way'),
    row([1, 1], 'administratively prohibited', 'admin-prohibited'),
    row([1, 2], 'beyond the scope of the source', 'host-unreach', 'host-absent'),
    row([1, 3], 'address unreachable', 'host-unreach', 'host-absent'),
    row([1, 4], 'port unreachable', 'refused'),
    row([1, 5], 'source address failed the policy', 'admin-prohibited'),
    row([1, 6], 'reject route', 'admin-prohibited'),
    row([1, 7], 'error in the source routing header', 'icmp-error', 'icmp-error'),
    row([2, 0], 'packet too big', 'ignored', 'firewall-drops'),
    row([3, 0], 'hop limit exceeded', 'host-unreach', 'loop'),
    row([3, 1], 'reassembly time exceeded', 'host-unreach', 'loop'),
    row([4, 0], 'erroneous header', 'icmp-error', 'icmp-error'),
    row([4, 1], 'unrecognised next header', 'icmp-error', 'icmp-error'),
    row([4, 2], 'unrecognised option', 'icmp-error', 'icmp-error'),
  ],
};

/** The state, and every cause that looks the same while no other port of the host answers. */
const SIGHTS: Readonly<Record<Sight, { state: State; alike: readonly Cause[] }>> = {
  refused: { state: 'closed', alike: ['no-listener', 'firewall-rejects'] },
  'host-unreach': { state: 'filtered', alike: ['firewall-rejects', 'host-absent', 'loop'] },
  'net-unreach': { state: 'filtered', alike: ['firewall-rejects', 'no-route-on-the-way'] },
  'proto-unreach': { state: 'filtered', alike: ['firewall-rejects'] },
  'admin-prohibited': { state: 'filtered', alike: ['firewall-rejects'] },
  'icmp-error': { state: 'filtered', alike: ['icmp-error'] },
  ignored: { state: 'filtered', alike: ['firewall-drops', 'host-absent'] },
};

/** The truth about one address that is seen like this, while no other port answers. */
function truthOf(sight: Sight, made: Cause): Truth {
  const { state, alike } = SIGHTS[sight];
  const reason = sight === 'refused' ? 'conn-refused' : sight === 'ignored' ? 'no-response' : sight;
  return { state, reason, made: [made], alike };
}

const router: Readonly<Record<Family, string>> = { 4: '10.90.0.254', 6: 'fd90::fe' };

function icmp({ type, code }: IcmpRow, from?: string): Answers {
  return [{ send: 'icmp', type, code, ...(from === undefined ? {} : { from }) }];
}

/** The cause if the host itself sends the error: it rejects, for it is there. */
const byTheHost = ({ made, sight }: IcmpRow): Cause =>
  made === 'icmp-error' || sight === 'ignored' ? made : 'firewall-rejects';

/** Every ICMP error for every port, from the host itself and from a router. */
const icmpForEveryPort = FAMILIES.flatMap((family) =>
  ICMP[family].flatMap((each) =>
    [undefined, router[family]].map((from): Situation => ({
      title: `${from ? 'a router' : 'the host'} sends ICMPv${family} "${each.name}"`,
      sites: [{ family, port: icmp(each, from) }],
      truth: {
        ...truthOf(each.sight, from === undefined ? byTheHost(each) : each.made),
        decides: 0,
        facts: from ? [] : ['host-up'],
      },
    })),
  ),
);

/** What a diagnosis must say of one port's ICMP error if another port of the host opens. */
const besideAnOpenPort: Readonly<Partial<Record<Sight, Causes>>> = {
  'icmp-error': { made: ['firewall-rejects'] },
  'host-unreach': { made: ['firewall-rejects'] },
  'net-unreach': { made: ['firewall-rejects'] },
  'proto-unreach': { made: ['firewall-rejects'] },
  ignored: { made: ['firewall-drops'] },
};

/** The same ICMP errors for one port of a host that answers on others. */
const icmpForOnePort = FAMILIES.flatMap((family) =>
  ICMP[family].map((each): Situation => {
    const diagnosed = besideAnOpenPort[each.sight];
    const made = each.sight === 'ignored' ? 'firewall-drops' : 'firewall-rejects';
    return {
      title: `ICMPv${family} "${each.name}" for one port; others are open or closed`,
      sites: [{ family, port: icmp(each), others: ['reset'], companions: { 443: ['syn-ack'] } }],
      truth: {
        ...truthOf(each.sight, made),
        ...(diagnosed ? { diagnosed } : {}),
        decides: 0,
        facts: ['host-up'],
      },
    };
  }),
);

const NOTHING: Answers = ['nothing'];
const RESET: Answers = ['reset'];
const OPEN: Answers = ['syn-ack'];
const late = (delayMs: number, send: 'syn-ack' | 'reset'): Answers => [{ send, delayMs }];
const unreachable: Readonly<Record<Family, (code4: number, code6: number) => Answers>> = {
  4: (code) => [{ send: 'icmp', type: 3, code }],
  6: (_, code) => [{ send: 'icmp', type: 1, code }],
};

const refused: Truth = {
  state: 'closed',
  reason: 'conn-refused',
  decides: 0,
  made: ['no-listener'],
};
const refusedByFirewall: Truth = { ...refused, made: ['firewall-rejects'] };
const silent: Truth = {
  state: 'filtered',
  reason: 'no-response',
  decides: 0,
  made: ['firewall-drops'],
};
const opened: Truth = { state: 'open', reason: null, decides: 0, made: [] };

/** One address, in both families. */
const oneAddress = FAMILIES.flatMap((family): Situation[] => {
  const site = (port: Answers, rest: Omit<Site, 'family' | 'port'> = {}) => ({
    sites: [{ family, port, ...rest }],
  });
  const ip = `over IPv${family}`;
  const reject: ScriptedAnswer = unreachable[family](13, 1)[0];
  return [
    // refusals
    {
      title: `a host that is up refuses every port ${ip}`,
      ...site(RESET),
      truth: { ...refused, alike: ['firewall-rejects'], facts: ['host-up'] },
    },
    {
      title: `a firewall resets connections to every port of a host that is down ${ip}`,
      ...site(RESET),
      truth: { ...refusedByFirewall, alike: ['no-listener'] },
    },
    {
      title: `a firewall resets connections to one port of a host that is down ${ip}`,
      ...site(RESET, { others: NOTHING }),
      truth: { ...refusedByFirewall, alike: ['no-listener'] },
    },
    {
      title: `nothing listens on one port of a host with an open port ${ip}`,
      ...site(RESET, { others: RESET, companions: { 443: OPEN } }),
      truth: { ...refused, alike: ['firewall-rejects'], facts: ['host-up'] },
    },
    {
      title: `a refusal comes after 300 ms, as from every port ${ip}`,
      ...site(late(300, 'reset')),
      truth: { ...refused, alike: ['firewall-rejects'], facts: ['host-up'] },
    },
    {
      title: `the first SYN to a closed port is lost ${ip}`,
      ...site(['nothing', 'reset']),
      options: ['-w', '2s'],
      truth: { ...refused, alike: ['firewall-rejects'], facts: ['host-up'] },
    },
    {
      title: `a firewall on the way refuses a port of a host that is 60 ms away ${ip}`,
      ...site(RESET, { others: late(60, 'reset'), companions: { 443: late(60, 'syn-ack') } }),
      truth: {
        ...refusedByFirewall,
        alike: ['no-listener'],
        varies: true,
        diagnosed: { made: ['firewall-rejects'] },
        facts: ['host-up'],
      },
    },
    {
      title: `a host 60 ms away refuses ${ip}`,
      ...site(late(60, 'reset'), { companions: { 443: late(60, 'syn-ack') } }),
      truth: { ...refused, alike: ['firewall-rejects'], facts: ['host-up'] },
    },
    {
      title: `a host refuses whose open port was slow twice ${ip}`,
      ...site(RESET, {
        companions: { 443: late(60, 'syn-ack') },
        later: { port: 443, after: 2, answers: OPEN },
      }),
      truth: { ...refused, alike: ['firewall-rejects'], facts: ['host-up'] },
    },
    // silence
    {
      title: `no host answers at all ${ip}`,
      ...site(NOTHING),
      truth: { ...silent, made: ['host-absent'], alike: ['firewall-drops'] },
    },
    {
      title: `a firewall drops everything for a host that is up ${ip}`,
      ...site(NOTHING),
      truth: { ...silent, alike: ['host-absent'], facts: ['host-up'] },
    },
    {
      title: `a firewall drops one port of a host that refuses others ${ip}`,
      ...site(NOTHING, { others: RESET }),
      truth: {
        ...silent,
        alike: ['host-absent'],
        diagnosed: { made: ['firewall-drops'] },
        facts: ['host-up'],
      },
    },
    {
      title: `a firewall drops one port of a host with an open port ${ip}`,
      ...site(NOTHING, { companions: { 443: OPEN } }),
      truth: {
        ...silent,
        alike: ['host-absent'],
        diagnosed: { made: ['firewall-drops'] },
        facts: ['host-up'],
      },
    },
    {
      title: `a firewall drops one port and rejects the others with "port unreachable" ${ip}`,
      ...site(NOTHING, { others: unreachable[family](3, 4) }),
      truth: {
        ...silent,
        alike: ['host-absent'],
        diagnosed: { made: ['firewall-drops'] },
        facts: ['host-up'],
      },
    },
    {
      title: `a host drops one port and rejects the others as prohibited ${ip}`,
      ...site(NOTHING, { others: [reject] }),
      truth: {
        ...silent,
        alike: ['host-absent'],
        diagnosed: { made: ['firewall-drops'] },
        facts: ['host-up'],
      },
    },
    {
      title: `a host with one open port is so slow that the port answers too late ${ip}`,
      ...site(late(2500, 'syn-ack'), { companions: { 443: OPEN } }),
      truth: { ...silent, made: ['too-slow'], alike: ['firewall-drops'], facts: ['host-up'] },
    },
    {
      title: `a host is silent, and the timeout is short ${ip}`,
      ...site(NOTHING),
      options: ['-w', '500ms'],
      truth: { ...silent, alike: ['host-absent', 'too-slow'], facts: ['host-up'] },
    },
    {
      title: `every answer of a host comes after the timeout ${ip}`,
      ...site(late(2500, 'syn-ack'), { others: late(2500, 'reset') }),
      truth: {
        ...silent,
        made: ['too-slow'],
        alike: ['firewall-drops', 'host-absent'],
        facts: ['host-up'],
      },
    },
    // rejections after a while
    {
      title: `a host whose ICMP errors are limited rejects the third SYN ${ip}`,
      ...site(['nothing', 'nothing', 'nothing', reject], { others: NOTHING }),
      options: ['-w', '4s'],
      truth: {
        state: 'filtered',
        reason: family === 4 ? 'host-unreach' : 'admin-prohibited',
        decides: 0,
        made: ['firewall-rejects'],
        alike: family === 4 ? ['host-absent'] : [],
        facts: ['host-up'],
      },
    },
    {
      title: `a host whose ICMP errors are limited rejects others at once ${ip}`,
      ...site(['nothing', 'nothing', 'nothing', unreachable[family](1, 3)[0]], {
        others: unreachable[family](1, 3),
      }),
      options: ['-w', '4s'],
      truth: {
        state: 'filtered',
        reason: 'host-unreach',
        decides: 0,
        made: ['firewall-rejects'],
        alike: ['host-absent'],
        diagnosed: { made: ['firewall-rejects'] },
        facts: ['host-up'],
      },
    },
    {
      title: `a router does not find the host after 3 s ${ip}`,
      ...site([
        'nothing',
        'nothing',
        'nothing',
        { ...(unreachable[family](1, 3)[0] as object), from: router[family] } as ScriptedAnswer,
      ]),
      options: ['-w', '4s'],
      truth: {
        state: 'filtered',
        reason: 'host-unreach',
        decides: 0,
        made: ['host-absent'],
        alike: ['firewall-rejects'],
      },
    },
    // open ports
    {
      title: `a port is open ${ip}`,
      ...site(OPEN),
      truth: { ...opened, facts: ['host-up'] },
      modes: ['plain', 'verbose', 'diagnose'],
    },
    {
      title: `a port opens after 300 ms ${ip}`,
      ...site(late(300, 'syn-ack')),
      truth: { ...opened, facts: ['host-up'] },
    },
    {
      title: `the first SYN to an open port is always lost ${ip}`,
      ...site(['nothing', 'syn-ack']),
      options: ['-w', '3s'],
      modes: ['verbose', 'diagnose'],
      truth: { ...opened, made: ['first-syn-lost'], facts: ['host-up'] },
    },
    {
      title: `a port is open 1,050 ms away ${ip}`,
      ...site(late(1050, 'syn-ack')),
      options: ['-w', '3s'],
      modes: ['verbose', 'diagnose'],
      truth: { ...opened, besides: ['too-slow'], facts: ['host-up'] },
    },
  ];
});

/** What one of two addresses does. */
interface Part {
  does: string;
  port: (family: Family) => Answers;
  truth: Truth;
}

const absent: Truth = {
  state: 'filtered',
  reason: 'host-unreach',
  made: ['host-absent'],
  alike: ['firewall-rejects', 'loop'],
};

const PARTS: readonly Part[] = [
  { does: 'is open', port: () => OPEN, truth: opened },
  { does: 'refuses', port: () => RESET, truth: { ...refused, alike: ['firewall-rejects'] } },
  { does: 'is silent', port: () => NOTHING, truth: { ...silent, alike: ['host-absent'] } },
  { does: 'is unreachable', port: (family) => unreachable[family](1, 3), truth: absent },
];

/** How much a state says: the address that says most decides. */
const RANK: readonly State[] = ['filtered', 'closed', 'open'];

/** The truth about two addresses: the better one decides, and both causes are named. */
function truthOfTwo(first: Truth, second: Truth): Truth {
  const [one, other] = [first, second].map(({ state }) => RANK.indexOf(state)) as [number, number];
  const [best, decides] = one >= other ? [first, 0] : [second, 1];
  const isClear = first.state !== second.state;
  const made = [...first.made, ...second.made];
  const all: Causes = { made, alike: [...(first.alike ?? []), ...(second.alike ?? [])] };
  if (best.state === 'open')
    return {
      ...best,
      decides: isClear ? decides : undefined,
      made: [],
      besides: [...made, 'listens-on-one-family', 'family-broken'],
      facts: ['host-up'],
    };
  return isClear
    ? { ...best, decides, besides: made, diagnosed: all }
    : {
        state: best.state,
        reason: [first, second].flatMap(({ reason }) => reason),
        made: [],
        besides: made,
        diagnosed: all,
      };
}

/** A firewall that acts on one family of a host that is up. */
const firewallForOneFamily: readonly Situation[] = [
  {
    title: 'a firewall refuses the port over IPv6 only',
    sites: [
      { family: 4, port: OPEN },
      { family: 6, port: RESET, others: RESET, companions: { 443: OPEN } },
    ],
    truth: { ...opened, made: ['firewall-rejects'], alike: ['listens-on-one-family'] },
    modes: ['diagnose'],
  },
  {
    title: 'the service listens on IPv4 only',
    sites: [
      { family: 4, port: OPEN },
      { family: 6, port: RESET, others: RESET, companions: { 443: OPEN } },
    ],
    truth: { ...opened, made: ['listens-on-one-family'], alike: ['firewall-rejects'] },
    modes: ['diagnose'],
  },
  {
    title: 'a firewall drops the port over IPv6 only',
    sites: [
      { family: 4, port: OPEN },
      { family: 6, port: NOTHING, others: RESET, companions: { 443: OPEN } },
    ],
    truth: { ...opened, made: ['firewall-drops'] },
    modes: ['diagnose'],
  },
  {
    title: 'IPv6 is broken on the way',
    sites: [
      { family: 4, port: OPEN },
      { family: 6, port: NOTHING },
    ],
    truth: { ...opened, made: ['family-broken'] },
    modes: ['diagnose'],
  },
];

const PAIRS: readonly (readonly [Family, Family])[] = [
  [4, 6],
  [4, 4],
];

/** A name with two addresses that behave alike or differently. */
const twoAddresses = PAIRS.flatMap(([one, other]) =>
  PARTS.flatMap((first, index) =>
    PARTS.slice(one === other ? index : 0).map((second): Situation => ({
      title: `the IPv${one} address ${first.does} and the IPv${other} address ${second.does}`,
      sites: [
        { family: one, port: first.port(one) },
        { family: other, port: second.port(other) },
      ],
      modes: ['plain', 'verbose', 'diagnose'],
      truth: truthOfTwo(first.truth, second.truth),
    })),
  ),
);

export const WIRE: readonly Situation[] = [
  ...icmpForEveryPort,
  ...icmpForOnePort,
  ...oneAddress,
  ...twoAddresses,
  ...firewallForOneFamily,
];
