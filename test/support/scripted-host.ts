import { fileURLToPath } from 'node:url';
import { HelperProcess } from './helper-process.js';
import type { Lab, Role } from './lab.js';
import { reasonToSkip } from './tools.js';

/** What the host sends back for one SYN or datagram. */
export type ScriptedAnswer = 'nothing' | 'reset' | 'syn-ack' | SynAck | Reset | IcmpError;

interface SynAck {
  send: 'syn-ack';
  delayMs?: number;
  /** Sent as soon as the connection is open. */
  banner?: string;
  /** How the host ends the connection after the banner; it holds the connection unless given. */
  end?: 'close' | 'reset';
  /** How long after the banner the host resets the connection; at once unless given. */
  endDelayMs?: number;
}

interface Reset {
  send: 'reset';
  delayMs?: number;
}

interface IcmpError {
  send: 'icmp';
  /** Type and code of ICMP for a packet over IPv4, of ICMPv6 for one over IPv6. */
  type: number;
  code: number;
  /** Who sends it: the address of a router; the host itself unless given. */
  from?: string;
  /** The four bytes after the checksum: an MTU, a pointer; 0 unless given. */
  rest?: number;
  delayMs?: number;
}

/** Says how packets are answered. The first rule that fits counts; without one none is answered. */
export interface ScriptedRule {
  /** Any address, port or family unless given. An address in its canonical form. */
  address?: string;
  port?: number;
  family?: 4 | 6;
  protocol?: 'tcp' | 'udp';
  /** Fits only after this many connections to the same address and port. */
  afterConnections?: number;
  /** The answer to the first SYN of a connection, to the second and so on; the last one repeats. */
  answers: [ScriptedAnswer, ...ScriptedAnswer[]];
}

/** How to make a scripted host. */
export interface ScriptedHostOptions {
  rules: ScriptedRule[];
  /** Blocks of addresses that are routed to the host. */
  networks: string[];
  /** The namespace of its device: the client's own, or the router's. `client` unless given. */
  role?: Role;
  /** The name of the device. */
  device?: string;
  /** Like `icmp_ratelimit`: after an ICMP error none is sent for so long; 0 unless given. */
  icmpIntervalMs?: number;
}

/** A SYN as the host saw it. */
interface SeenSyn {
  address: string;
  port: number;
  /** 1 for the first SYN of a connection, 2 for its first repetition. */
  syn: number;
  /** When it came, on the clock of `machineClock`. */
  atMs: number;
}

/** Hosts in user space. Every address in their networks answers as the rules say. */
export interface ScriptedHost {
  /** Replaces the rules for later connections. */
  update(rules: ScriptedRule[]): Promise<void>;
  /** All SYNs so far. */
  syns(): Promise<SeenSyn[]>;
  stop(): Promise<void>;
}

const script = fileURLToPath(new URL('scripted-host.py', import.meta.url));

/** Starts hosts in user space on a TUN device of a namespace. Resolves when they are reachable. */
export async function startScriptedHost(
  lab: Lab,
  { rules, networks, role = 'client', device = 'host0', icmpIntervalMs }: ScriptedHostOptions,
): Promise<ScriptedHost> {
  const reason = reasonToSkip('delayLink');
  if (reason !== undefined) throw new Error(`no scripted host: ${reason}`);
  const argv = ['python3', script, device, JSON.stringify({ rules, icmpIntervalMs })];
  const { helper } = await HelperProcess.start(lab.spawn(role, argv, { stdio: 'pipe' }));
  await lab.ip(role, `link set ${device} up txqueuelen 10000`);
  for (const each of networks) await lab.ip(role, `route add ${each} dev ${device}`);
  return {
    update: async (newRules) => {
      await helper.ask({ rules: newRules });
    },
    syns: () => helper.ask({}),
    stop: () => helper.stop(),
  };
}
