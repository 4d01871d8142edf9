import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { collect, type ExecResult, environment, kill, run } from './command.js';
import { DnsServer, type DnsServerOptions } from './dns-server.js';
import { HelperProcess } from './helper-process.js';
import { claimNamespaces, removeNamespace, removeStaleNamespaces } from './namespaces.js';
import { reasonToSkip } from './tools.js';

export type { ExecResult } from './command.js';
export { describeLab } from './tools.js';

/** A namespace of the lab. `router` exists only with `createLab({ router: true })`. */
export type Role = 'client' | 'server' | 'router';

/** An address of each family. */
export interface Addresses {
  v4: string;
  v6: string;
}

/** How to make a lab. */
export interface LabOptions {
  /** Put a router between client and server. It is the client's default gateway. */
  router?: boolean;
  /** Keep Linux's limits on the rate of ICMP errors, as real machines have them. */
  icmpLimits?: boolean;
}

/** Options of `Lab.exec`. */
export interface ExecOptions {
  /** Kill the command and its children after this many milliseconds; 15,000 unless given. */
  timeoutMs?: number;
  /** Variables to add to a small environment that is the same for every user. */
  env?: Record<string, string>;
  cwd?: string;
  /** Text for stdin; empty unless given. */
  input?: string;
}

/** What a listener does with a connection. `hold` and `echo` leave its end to the client. */
type OnConnection = 'hold' | 'close' | 'reset' | 'banner' | 'banner-close' | 'echo';

/** A listener to start. */
export interface ListenOptions {
  /** `::` unless given, which accepts IPv4, too. */
  address?: string;
  /** 0, the default, is any free port. */
  port?: number;
  /** `hold` unless given. */
  onConnection?: OnConnection;
  /** What `banner` and `banner-close` write. */
  banner?: string;
}

/** A connection as the listener saw it. */
interface SeenConnection {
  from: string;
  port: number;
  /** `fin`, `reset` or the code of an error; null while it is open. */
  end: string | null;
}

/** A real TCP listener in a namespace. */
export interface Listener {
  port: number;
  /** All connections so far, in order of arrival. */
  connections(): Promise<SeenConnection[]>;
  stop(): Promise<void>;
}

/** A firewall's replies: ICMP errors and the TCP reset, by their IPv4 names if they have one. */
export type RejectKind = keyof typeof rejects;

/** The hook of a firewall rule: the server's input, the client's output, the router's forward. */
export type Hook = keyof typeof hooks;

/** The resolver's files of a namespace. Absent options have the values of a new lab. */
export interface ResolverOptions {
  nameservers?: string[];
  /** The `options` line of resolv.conf; `timeout:1 attempts:1` unless given. */
  options?: string;
  search?: string[];
  /** Lines of the hosts file that follow those for localhost. */
  hosts?: string;
  /** The sources of the `hosts` line of nsswitch.conf; `files dns` unless given. */
  nsswitch?: string;
}

/** A delay link to make. */
export interface DelayLinkOptions {
  /** Round-trip time of the link, ms. */
  rttMs: number;
  /** Addresses of the ends, IPv4 or IPv6; the link's own unless given. */
  clientAddress?: string;
  serverAddress?: string;
}

/** A link with a fixed delay, with other addresses than the lab's fast link. */
export interface DelayLink {
  client: Addresses;
  server: Addresses;
  /** Name of the device, the same in client and server. */
  device: string;
  stop(): Promise<void>;
}

/** The router's addresses towards the server. */
const farRouter: Addresses = { v4: '10.78.0.254', v6: 'fd78::fe' };

const hooks = { input: 'server', output: 'client', forward: 'router' } as const;

const noIcmpLimits: readonly string[] = [
  // Not icmp_ratelimit=0: it empties the same peer's bucket for route errors (ip_error in
  // net/ipv4/route.c). A router without a route would then reply 1 or 2 s late after a reject.
  'ipv4/icmp_ratemask=0',
  'ipv4/icmp_msgs_per_sec=1000000',
  'ipv4/icmp_msgs_burst=1000000',
  'ipv6/icmp/ratelimit=0',
];

const rejects = {
  'tcp-reset': { ipv4: 'tcp reset', ipv6: 'tcp reset' },
  'port-unreachable': { ipv4: 'icmp type port-unreachable', ipv6: 'icmpv6 type port-unreachable' },
  'host-unreachable': { ipv4: 'icmp type host-unreachable', ipv6: 'icmpv6 type addr-unreachable' },
  'net-unreachable': { ipv4: 'icmp type net-unreachable', ipv6: 'icmpv6 type no-route' },
  'admin-prohibited': { ipv4: 'icmp type admin-prohibited', ipv6: 'icmpv6 type admin-prohibited' },
  'host-prohibited': { ipv4: 'icmp type host-prohibited' },
  'net-prohibited': { ipv4: 'icmp type net-prohibited' },
  'proto-unreachable': { ipv4: 'icmp type prot-unreachable' },
  'policy-fail': { ipv6: 'icmpv6 type policy-fail' },
  'reject-route': { ipv6: 'icmpv6 type reject-route' },
} satisfies Record<string, { ipv4?: string; ipv6?: string }>;

/** Makes a lab. Call `close()` in `afterAll`. A lab that fails to start leaves nothing behind. */
export async function createLab(options: LabOptions = {}): Promise<Lab> {
  await removeStaleNamespaces();
  return Lab.create(options);
}

/**
 * Network namespaces `client` and `server`, joined by a veth pair or a `router`, with IPv4 and IPv6
 * and without rate limits on ICMP errors, unless `icmpLimits` keeps them. Nothing in it reaches the
 * machine's network. The device is `eth0`; the router's device towards the server is `eth1`.
 *
 * On a veth link an ICMPv6 error arrives within the system call that sends the SYN. Linux ignores
 * it there, so only the second SYN, after 1 s, fails. Over a `delayLink`, even of 1 ms, the first
 * one fails.
 */
export class Lab {
  readonly client: Addresses = { v4: '10.77.0.1', v6: 'fd77::1' };
  readonly server: Addresses;
  /** The router's address towards the client. */
  readonly router: Addresses = { v4: '10.77.0.254', v6: 'fd77::fe' };
  /** Names of the namespaces, as `ip netns` has them. */
  readonly namespaces: Partial<Record<Role, string>> = {};
  readonly #children = new Set<ChildProcess>();
  #delayLinks = 0;

  private constructor(options: LabOptions) {
    const subnet = options.router ? 78 : 77;
    this.server = { v4: `10.${subnet}.0.2`, v6: `fd${subnet}::2` };
  }

  /** See `createLab`. */
  static async create(options: LabOptions): Promise<Lab> {
    const lab = new Lab(options);
    try {
      await lab.#build(options);
      return lab;
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  async #build({ router = false, icmpLimits = false }: LabOptions): Promise<void> {
    const roles: Role[] = router ? ['client', 'server', 'router'] : ['client', 'server'];
    const prefix = await claimNamespaces();
    for (const role of roles) this.namespaces[role] = `${prefix}-${role}`;
    await Promise.all(
      roles.map(async (role) => {
        // claimNamespaces() has made the client's
        if (role !== 'client') await run(['ip', 'netns', 'add', this.#namespace(role)]);
        await this.#setKernelParameters(role, icmpLimits ? [] : noIcmpLimits);
        await this.setResolver(role, {});
      }),
    );
    if (router) {
      await this.#join('client', 'eth0', 'router', 'eth0');
      await this.#join('server', 'eth0', 'router', 'eth1');
      await Promise.all([
        this.#configure('client', [
          ...addAddresses('eth0', this.client),
          ...addDefaultRoutes(this.router),
        ]),
        this.#configure('server', [
          ...addAddresses('eth0', this.server),
          ...addDefaultRoutes(farRouter),
        ]),
        this.#configure('router', [
          ...addAddresses('eth0', this.router),
          ...addAddresses('eth1', farRouter),
        ]),
        this.sysctl('router', 'net.ipv4.ip_forward', 1),
        this.sysctl('router', 'net.ipv6.conf.all.forwarding', 1),
      ]);
    } else {
      await this.#join('client', 'eth0', 'server', 'eth0');
      await Promise.all([
        this.#configure('client', addAddresses('eth0', this.client)),
        this.#configure('server', addAddresses('eth0', this.server)),
      ]);
    }
    await this.#waitUntilUp();
  }

  /** Waits until a closed port refuses: then the links are up and the neighbours are known. */
  async #waitUntilUp(): Promise<void> {
    const script = `
      for (const host of process.argv.slice(1))
        require('node:net').connect({ host, port: 9 }).on('error', () => {})
          .setTimeout(10_000, process.exit);`;
    await this.#run('client', [process.execPath, '-e', script, this.server.v4, this.server.v6]);
  }

  /** Runs a command in a namespace. Rejects only if it cannot be started, not if it fails. */
  async exec(role: Role, argv: string[], options: ExecOptions = {}): Promise<ExecResult> {
    const { timeoutMs = 15_000, input = '', env, cwd } = options;
    const startedAt = performance.now();
    const child = this.spawn(role, argv, { env, cwd, stdio: 'pipe' });
    return collect(child, { input, timeoutMs, startedAt });
  }

  /** Starts a command in a namespace. `close()` kills its process group. `env` is as for `exec`. */
  spawn(role: Role, argv: string[], options: SpawnOptions = {}): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.#namespace(role), ...argv], {
      ...options,
      env: { ...environment, ...options.env },
      detached: true,
    });
    this.#children.add(child);
    child.once('close', () => this.#children.delete(child));
    return child;
  }

  /** Runs `ip`, as in `ip('client', 'route add prohibit 10.9.0.0/24')`. Returns its stdout. */
  async ip(role: Role, args: string): Promise<string> {
    return run(['ip', '-n', this.#namespace(role), ...args.split(' ')]);
  }

  /** Loads nftables rules into a namespace, in nft's language. Returns its stdout. */
  async nft(role: Role, ruleset: string): Promise<string> {
    return this.#run(role, ['nft', '-f', '-'], `${ruleset}\n`);
  }

  /** Sets a kernel parameter: `sysctl('client', 'net.ipv4.tcp_syn_retries', 1)`. */
  async sysctl(role: Role, key: string, value: string | number): Promise<void> {
    await this.#run(role, [
      'sh',
      '-c',
      'echo "$1" > "$0"',
      `/proc/sys/${key.replaceAll('.', '/')}`,
      String(value),
    ]);
  }

  /** Drops packets to a port: at the server, or at another hook. */
  async drop(port: number, hook: Hook = 'input'): Promise<void> {
    await this.#addRules(hook, [`tcp dport ${port} drop`]);
  }

  /**
   * Rejects packets to a port, in the families that have this kind of reply: `host-prohibited` is
   * IPv4 only, `policy-fail` IPv6 only.
   */
  async reject(port: number, kind: RejectKind, hook: Hook = 'input'): Promise<void> {
    const rule = ([family, how]: [string, string]) =>
      `meta nfproto ${family} tcp dport ${port} reject with ${how}`;
    await this.#addRules(hook, Object.entries(rejects[kind]).map(rule));
  }

  /** Removes all rules of `drop`, `reject` and `nft` from a namespace. */
  async clearRules(role: Role): Promise<void> {
    await this.nft(role, 'flush ruleset');
  }

  /** Starts a TCP listener. Resolves when it listens. */
  async listen(role: Role, options: ListenOptions = {}): Promise<Listener> {
    const config = {
      address: '::',
      port: 0,
      onConnection: 'hold',
      banner: '220 lab ESMTP\r\n',
      ...options,
    };
    const { helper, ready } = await this.#startScript<{ port: number }>(
      role,
      'listener.mjs',
      config,
    );
    return { port: ready.port, connections: () => helper.ask({}), stop: () => helper.stop() };
  }

  /** Starts a DNS server. Resolves when it listens. Use `setResolver` to have it asked. */
  async dns(role: Role, options: DnsServerOptions): Promise<DnsServer> {
    const config = { address: '::', port: 53, unknown: 'NXDOMAIN', ...options };
    return new DnsServer((await this.#startScript(role, 'dns-server.mjs', config)).helper);
  }

  /**
   * Writes resolv.conf, hosts and nsswitch.conf of a namespace, for later commands. The default
   * name server is a closed port, so no query leaves the lab.
   */
  async setResolver(role: Role, options: ResolverOptions): Promise<void> {
    const directory = `/etc/netns/${this.#namespace(role)}`;
    await mkdir(directory, { recursive: true });
    await writeResolverFiles(directory, options);
  }

  /** Adds a link between client and server, `rttMs` / 2 each way. Resolves when it is up. */
  async delayLink({ rttMs, clientAddress, serverAddress }: DelayLinkOptions): Promise<DelayLink> {
    const reason = reasonToSkip('delayLink');
    if (reason !== undefined) throw new Error(`no delay link: ${reason}`);
    const number = this.#delayLinks++;
    const device = `delay${number}`;
    const subnet = 80 + number;
    const client = { v4: `10.${subnet}.0.1`, v6: `fd${subnet}::1` };
    const server = { v4: `10.${subnet}.0.2`, v6: `fd${subnet}::2` };
    if (clientAddress) client[family(clientAddress)] = clientAddress;
    if (serverAddress) server[family(serverAddress)] = serverAddress;

    const script = supportFile('delay-link.py');
    const argv = ['python3', script, String(rttMs / 2), device, `${device}s`];
    const { helper } = await HelperProcess.start(this.spawn('client', argv, { stdio: 'pipe' }));
    await this.ip(
      'client',
      `link set ${device}s netns ${this.#namespace('server')} name ${device}`,
    );
    const end = (own: Addresses, peer: Addresses) => [
      `link set ${device} up txqueuelen 10000`,
      `addr add ${own.v4} peer ${peer.v4} dev ${device}`,
      `addr add ${own.v6} peer ${peer.v6} dev ${device} nodad`,
    ];
    await Promise.all([
      this.#configure('client', end(client, server)),
      this.#configure('server', end(server, client)),
    ]);
    return { client, server, device, stop: () => helper.stop() };
  }

  /** Kills every process in the lab and removes the namespaces. */
  async close(): Promise<void> {
    const ended = [...this.#children].map(
      (child) => new Promise((resolve) => child.once('close', resolve)),
    );
    // A child may still be outside its namespace.
    for (const { pid } of this.#children) if (pid) kill(-pid);
    await Promise.all(Object.values(this.namespaces).map(removeNamespace));
    await Promise.all(ended);
  }

  #namespace(role: Role): string {
    const namespace = this.namespaces[role];
    if (!namespace) throw new Error(`this lab has no ${role}`);
    return namespace;
  }

  async #run(role: Role, argv: string[], input?: string): Promise<string> {
    return run(['ip', 'netns', 'exec', this.#namespace(role), ...argv], input);
  }

  async #startScript<Ready>(role: Role, file: string, config: object) {
    const argv = [process.execPath, supportFile(file), JSON.stringify(config)];
    return HelperProcess.start<Ready>(this.spawn(role, argv, { stdio: 'pipe' }));
  }

  async #join(role: Role, device: string, peerRole: Role, peerDevice: string): Promise<void> {
    const peer = ['peer', 'name', peerDevice, 'netns', this.#namespace(peerRole)];
    await run([
      'ip',
      'link',
      'add',
      device,
      'netns',
      this.#namespace(role),
      'type',
      'veth',
      ...peer,
    ]);
    await Promise.all([
      this.ip(role, `link set ${device} up`),
      this.ip(peerRole, `link set ${peerDevice} up`),
    ]);
  }

  async #configure(role: Role, commands: string[]): Promise<void> {
    await run(
      ['ip', '-n', this.#namespace(role), '-batch', '-'],
      `link set lo up\n${commands.join('\n')}\n`,
    );
  }

  async #addRules(hook: Hook, rules: string[]): Promise<void> {
    const chain = `add chain inet lab ${hook} { type filter hook ${hook} priority 0; }`;
    const lines = [
      'add table inet lab',
      chain,
      ...rules.map((rule) => `add rule inet lab ${hook} ${rule}`),
    ];
    await this.nft(hooks[hook], lines.join('\n'));
  }

  async #setKernelParameters(role: Role, limits: readonly string[]): Promise<void> {
    const settings = [...limits, 'ipv6/conf/all/accept_dad=0', 'ipv6/conf/default/accept_dad=0'];
    // On older kernels icmp_msgs_* belong to the machine, and a namespace has no such file.
    const script =
      'for s; do f=/proc/sys/net/${s%=*}; if [ -e $f ]; then echo ${s#*=} > $f || exit 1; fi; done';
    await this.#run(role, ['sh', '-c', script, 'sh', ...settings]);
  }
}

/** Writes resolv.conf, hosts and nsswitch.conf to a folder. */
export async function writeResolverFiles(
  directory: string,
  {
    nameservers = ['127.0.0.1'],
    options = 'timeout:1 attempts:1',
    search = [],
    hosts = '',
    nsswitch = 'files dns',
  }: ResolverOptions,
): Promise<void> {
  const resolvConf = [
    ...nameservers.map((address) => `nameserver ${address}`),
    ...(search.length > 0 ? [`search ${search.join(' ')}`] : []),
    `options ${options}`,
  ];
  await Promise.all([
    writeFile(`${directory}/resolv.conf`, `${resolvConf.join('\n')}\n`),
    writeFile(`${directory}/hosts`, `127.0.0.1 localhost\n::1 localhost\n${hosts}\n`),
    writeFile(`${directory}/nsswitch.conf`, `hosts: ${nsswitch}\n`),
  ]);
}

function addAddresses(device: string, { v4, v6 }: Addresses): string[] {
  return [`addr add ${v4}/24 dev ${device}`, `addr add ${v6}/64 dev ${device} nodad`];
}

function addDefaultRoutes(gateway: Addresses): string[] {
  return [`route add default via ${gateway.v4}`, `route add default via ${gateway.v6}`];
}

function family(address: string): keyof Addresses {
  return address.includes(':') ? 'v6' : 'v4';
}

function supportFile(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
