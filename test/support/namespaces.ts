import { spawnSync } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { kill, run } from './command.js';

/** The prefix of the lab's namespaces. The process id and a counter follow. */
const namespacePrefix = 'portping-lab';

/**
 * Makes the namespace `<prefix>-client` with the first free prefix of this process. Returns the
 * prefix, which the other namespaces of the lab can use.
 */
export async function claimNamespaces(): Promise<string> {
  for (let counter = 0; ; counter++) {
    const prefix = `${namespacePrefix}-${process.pid}-${counter}`;
    const made = await run(['ip', 'netns', 'add', `${prefix}-client`]).catch(
      (error: Error) => error,
    );
    if (!(made instanceof Error)) return prefix;
    if (!made.message.includes('File exists')) throw made;
  }
}

/** Removes the namespaces of processes that have ended. */
export async function removeStaleNamespaces(): Promise<void> {
  const directories = ['/run/netns', '/var/run/netns', '/etc/netns'].map((path) =>
    readdir(path).catch(() => []),
  );
  const names = new Set((await Promise.all(directories)).flat());
  const stale = [...names].filter((name) => {
    const pid = name.startsWith(`${namespacePrefix}-`) && Number(name.split('-')[2]);
    return pid && !isAlive(pid);
  });
  await Promise.all(stale.map(removeNamespace));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Kills the processes in a namespace and removes it. Does nothing if it does not exist. */
export async function removeNamespace(namespace: string): Promise<void> {
  const pids = await run(['ip', 'netns', 'pids', namespace]).catch(() => '');
  for (const pid of pids.split('\n').filter(Boolean)) kill(Number(pid));
  await run(['ip', 'netns', 'del', namespace]).catch(() => {});
  await rm(`/etc/netns/${namespace}`, { recursive: true, force: true });
}

/** Why no namespace with firewall rules can be made here; undefined if it can. */
export function networkLabMissing(): string | undefined {
  const name = `${namespacePrefix}-${process.pid}-check`;
  const script = `
    trap 'ip netns del ${name}' EXIT
    ip netns add ${name} && ip -n ${name} link add type veth &&
    ip netns exec ${name} ls /proc/sys/net/ipv6 &&
    ip netns exec ${name} nft '
      add table inet lab; add chain inet lab check; add rule inet lab check reject'`;
  const { status, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
  return status === 0 ? undefined : `no network namespace can be made: ${stderr.split('\n', 1)[0]}`;
}
