import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, it, type TestOptions } from 'vitest';
import { networkLabMissing } from './namespaces.js';
import { asNobody, testNode } from './portping.js';
import { REAL_TIME } from './real-time.js';

/** Says why something cannot be used here; undefined if it can. */
type Check = () => string | undefined;

/** The PATH to start servers with. Only root's own PATH has these folders. */
export const SERVER_PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

function mayUse(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

function isInstalled(name: string, path: string): boolean {
  return path.split(delimiter).some((folder) => mayUse(join(folder, name), constants.X_OK));
}

/** A program that tests find by PATH, and the Debian package that has it. */
const program =
  (name: string, debianPackage: string, path = process.env['PATH'] ?? ''): Check =>
  () =>
    isInstalled(name, path) ? undefined : `\`${name}\` is missing; install ${debianPackage}`;

/** A program that tests start with SERVER_PATH. */
const server = (name: string, debianPackage: string): Check =>
  program(name, debianPackage, SERVER_PATH);

const platform =
  (name: NodeJS.Platform, title: string): Check =>
  () =>
    process.platform === name ? undefined : `needs ${title}`;

const root: Check = () => (process.getuid?.() === 0 ? undefined : 'needs root');

const firstOf =
  (...checks: Check[]): Check =>
  () => {
    for (const check of checks) {
      const reason = check();
      if (reason !== undefined) return reason;
    }
    return undefined;
  };

function ipv6Missing(): string | undefined {
  const addresses = Object.values(networkInterfaces()).flat();
  return addresses.some((each) => each?.address === '::1') ? undefined : 'needs IPv6 (::1)';
}

function nobodyMissing(): string | undefined {
  const [file = '', ...words] = [...asNobody, testNode, '--version'];
  return spawnSync(file, words).status === 0
    ? undefined
    : 'needs a Node that the user nobody may run';
}

function tunMissing(): string | undefined {
  return mayUse('/dev/net/tun', constants.F_OK) ? undefined : 'needs /dev/net/tun';
}

/**
 * What some tests need besides Node, npm and a shell. A test that needs something else adds its
 * line here.
 */
const NEEDS = {
  // programs
  bash: program('bash', 'bash'),
  bun: program('bun', 'bun from npm'),
  chromium: program('chromium', 'chromium'),
  curl: program('curl', 'curl'),
  deno: program('deno', 'deno from npm'),
  dovecot: server('dovecot', 'dovecot-imapd and dovecot-pop3d'),
  fish: program('fish', 'fish'),
  mandoc: program('mandoc', 'mandoc'),
  man: firstOf(program('man', 'man-db'), program('groff', 'groff-base')),
  nagios4: server('nagios4', 'nagios4-core'),
  nginx: server('nginx', 'nginx-light'),
  openssl: program('openssl', 'openssl'),
  postfix: server('postfix', 'postfix'),
  prometheus: program('prometheus', 'prometheus'),
  'prometheus-node-exporter': program('prometheus-node-exporter', 'prometheus-node-exporter'),
  promtool: program('promtool', 'prometheus'),
  prove: program('prove', 'perl'),
  python3: program('python3', 'python3'),
  script: firstOf(platform('linux', 'Linux'), program('script', 'bsdutils')),
  ss: firstOf(platform('linux', 'Linux'), program('ss', 'iproute2')),
  sshd: server('sshd', 'openssh-server'),
  tmux: program('tmux', 'tmux'),
  tshark: program('tshark', 'tshark'),
  vsftpd: server('vsftpd', 'vsftpd'),
  xmllint: program('xmllint', 'libxml2-utils'),
  zsh: program('zsh', 'zsh'),
  // the machine
  ipv6: ipv6Missing,
  linux: platform('linux', 'Linux'),
  macos: platform('darwin', 'macOS'),
  windows: platform('win32', 'Windows'),
  'shared memory': () => (mayUse('/dev/shm', constants.W_OK) ? undefined : 'needs /dev/shm'),
  'services file': () =>
    mayUse('/etc/services', constants.R_OK)
      ? undefined
      : '/etc/services is missing; install netbase',
  // rights
  root,
  nobody: firstOf(
    platform('linux', 'Linux'),
    root,
    program('setpriv', 'util-linux'),
    nobodyMissing,
  ),
  // the network lab
  lab: firstOf(
    platform('linux', 'Linux'),
    root,
    program('ip', 'iproute2'),
    program('nft', 'nftables'),
    networkLabMissing,
  ),
  delayLink: firstOf(program('python3', 'python3'), tunMissing),
} as const satisfies Record<string, Check>;

/** Something that some tests need. */
export type Need = keyof typeof NEEDS;

const reasons = new Map<Need, string | undefined>();

/** Why tests with these needs must be skipped: the first need that is not met. Else undefined. */
export function reasonToSkip(...needs: readonly Need[]): string | undefined {
  for (const need of needs) {
    if (!reasons.has(need)) reasons.set(need, NEEDS[need]());
    const reason = reasons.get(need);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** The name of a test or suite, with the reason why it is skipped, if it is. */
function nameWithReason(name: string, reason: string | undefined): string {
  return reason === undefined ? name : `${name} (skipped: ${reason})`;
}

/** `it` for a test with needs. If one is not met the test is skipped and its name says why. */
export function itWith(
  needs: Need | readonly Need[],
  name: string,
  test: () => void | Promise<void>,
): void {
  const reason = reasonToSkip(...[needs].flat());
  it.skipIf(reason !== undefined)(nameWithReason(name, reason), test);
}

/** Two tests, on 127.0.0.1 and on ::1. `%s` in the name is the address. */
export function itOnLoopback(
  name: string,
  test: (address: string, family: 4 | 6) => Promise<void>,
): void {
  itWith([], name.replace('%s', '127.0.0.1'), () => test('127.0.0.1', 4));
  itWith('ipv6', name.replace('%s', '::1'), () => test('::1', 6));
}

/** `describe` for tests with needs. If one is not met all are skipped, and the name says why. */
export function describeWith(
  needs: Need | readonly Need[],
  name: string,
  tests: () => void,
  options: TestOptions = {},
): void {
  const reason = reasonToSkip(...[needs].flat());
  describe.skipIf(reason !== undefined)(nameWithReason(name, reason), options, tests);
}

/** `describe` for tests in the network lab, which measure real time; `needs` are further needs. */
export function describeLab(name: string, tests: () => void, ...needs: readonly Need[]): void {
  describeWith(['lab', ...needs], name, tests, REAL_TIME);
}
