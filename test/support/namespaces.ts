import { readdir, rm } from 'node:fs/promises';
import { kill, run } from './command.js';

/** What the names of the lab's namespaces begin with; the process id and a counter follow. */
export const namespacePrefix = 'portping-lab';

/**
 * Makes the namespace `<prefix>-client` under the first free prefix of this process and returns the prefix, which then
 * is free for the other namespaces too.
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

/** Removes the namespaces of processes that are no more. */
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

/** Kills what runs in a namespace and removes it, as far as it is there. */
export async function removeNamespace(namespace: string): Promise<void> {
  const pids = await run(['ip', 'netns', 'pids', namespace]).catch(() => '');
  for (const pid of pids.split('\n').filter(Boolean)) kill(Number(pid));
  await run(['ip', 'netns', 'del', namespace]).catch(() => {});
  await rm(`/etc/netns/${namespace}`, { recursive: true, force: true });
}
