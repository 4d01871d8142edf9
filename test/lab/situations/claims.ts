import { withoutTimes } from './formats.js';

/** Words that name a cause, in a statement or in its advice. */
export const CAUSES = {
  // the wire
  'no-listener': /(nothing|no (program|process|service)) listens (on (that|the|this) port|there)/i,
  'firewall-rejects':
    /firewall(?! (on|of) this machine)[^.]*(reject|refuse|prohibit|reset)|rejects? [^.]*by a firewall/i,
  'firewall-drops':
    /firewall(?! (on|of) this machine)[^.]* (drops|ignores|stops)|(is|probably) filtered/i,
  'host-absent':
    /no host [^.]*(is (at|up)|has that address)|the host is (down|absent|off|not there)|router[^.]* (cannot|does not) (find|reach) (the|its) host/i,
  'no-route-on-the-way': /router[^.]* has no route/i,
  'lost-on-the-way': /router on the way is down|lost in routing/i,
  loop: /routing loop|routers form a loop/i,
  'icmp-error': /ICMP error|an unusual ICMP|ICMP message/i,
  'too-slow':
    /overloaded|(service|host)[^.]* too busy|takes? longer|answers too late|answer (came late|took longer)/i,
  'first-syn-lost': /first SYN [^.]*was lost|SYN was repeated|SYN [^.]*had to be repeated/i,
  'listens-on-one-family': /listens on IPv[46] only/i,
  'family-broken': /IPv[46] to \S+ is (probably )?broken/i,
  // this machine
  'local-firewall':
    /firewall (on|of) this machine (probably )?(drops|rejects|refuses|resets)|This machine itself (probably )?refuses/i,
  'answers-dropped-here': /firewall of this machine that drops the answers|incoming packets/i,
  'redirect-here': /on this machine, such as a captive portal or a proxy/i,
  'bound-to-loopback': /listens on (127\.0\.0\.1|::1|NAME)[^.]*, but not on/i,
  'no-route-here': /this machine[^.]* no usable route/i,
  'not-permitted-here': /this machine does not permit/i,
  'bad-source': /cannot use the source address/i,
  'no-ports': /no free source port/i,
  // the service
  'no-service-behind': /no service behind/i,
  'service-hangs': /the service hangs/i,
  'refuses-client': /refuses? (this|a) client/i,
  'data-stopped': /firewall that inspects|client, or a firewall/i,
  'no-tls': /has no TLS from the start/i,
  'proxy-answers': /proxy on the way (answers in its place|intercepts TLS)/i,
  'small-mtu': /\bMTU\b/,
  portal: /captive portal|answers everything/i,
  // names
  'no-such-name': /no such name|does not exist|there is no name/i,
  'no-address': /exists,? but has no|has no (IPv[46] |A |AAAA )?(address|record)/i,
  'alias-loop': /leads back to itself/i,
  servfail: /SERVFAIL/,
  'dns-refused': /\bREFUSED\b/,
  'dns-no-recursion': /no recursion/i,
  'dns-broken': /FORMERR|unusable answer/,
  'dns-silent':
    /(DNS|resolver)[^.]* (did|does|do) not answer|answered for [^.]*, but not for|DNS[^.]*: no answer/i,
  'dns-slow': /answers too slowly|down or too slow/i,
  'dns-other-address': /answers from another address/i,
  'stale-address': /stale or wrong/i,
  'address-at-fault': /the way there or its host is at fault/i,
  'dns-not-listening': /DNS[\s\S]*nothing listens/i,
  'dns-firewall': /DNS[\s\S]*firewall [^.]*(reject|prohibit)/i,
  'dns-blocked-here': /this machine[^.]* (not (permit|let)|blocks?|drops?)[^.]*/i,
  'dns-no-route': /no (usable )?route to (the )?DNS/i,
  'dns-no-tcp': /over TCP|truncated/i,
  'no-dns-source': /and no DNS server/,
  'resolver-config': /Name resolution on this machine is at fault/i,
  'hosts-file': /hosts file of this machine overrides/i,
  'servers-disagree': /DNS servers of this machine disagree/i,
  'search-domain': /with a search domain/i,
  'blocked-answer': /no host has|no host's address|blocks? a name/i,
} as const satisfies Record<string, RegExp>;

/** Words that state a fact besides the cause. */
const FACTS = {
  'host-up': /(?<!whether )the host is up/i,
  'nothing-wrong': /nothing is wrong between/i,
  'our-bug': /report (this|it)( line)? as a bug/i,
  'sent-nothing': /before any(thing was said| data)(?! was read)/i,
} as const satisfies Record<string, RegExp>;

export type Cause = keyof typeof CAUSES;
export type Fact = keyof typeof FACTS;

function namedIn<Name extends string>(text: string, words: Readonly<Record<Name, RegExp>>): Name[] {
  return (Object.keys(words) as Name[]).filter((name) => words[name].test(text));
}

/** Dots in times, addresses and names end no sentence. */
const withoutDots = (text: string): string =>
  withoutTimes(text).replace(/\b[\w-]+(\.[\w-]+)+\b/g, 'NAME');

/** The causes that a text names. */
export const causesIn = (text: string): Cause[] => namedIn<Cause>(withoutDots(text), CAUSES);

/** The facts that a text states. */
export const factsIn = (text: string): Fact[] => namedIn<Fact>(text, FACTS);
