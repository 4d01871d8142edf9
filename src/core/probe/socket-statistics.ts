import { execFile } from 'node:child_process';
import {
  type AskKernel,
  delayCause,
  type KernelFacts,
  SLOW_HANDSHAKE_MS,
} from '../facts/kernel-facts.js';
import { formatHostPort } from '../target/target.js';

/** The longest time that `ss` may take, in milliseconds. */
const LONGEST_MS = 500;

/** What `ss -Htino` (iproute2) prints about one connection; null if it prints nothing of use. */
export function parseSocketStatistics(text: string): Omit<KernelFacts, 'cause'> | null {
  const read = (pattern: RegExp): number | null => {
    const value = pattern.exec(text)?.[1];
    return value === undefined ? null : Number(value);
  };
  const mss = read(/\bmss:(\d+)/); // always there if the kernel said anything
  if (mss === null) return null;
  return {
    roundTripMs: read(/\brtt:([\d.]+)\//),
    repeatedSyns: read(/\bretrans:\d+\/(\d+)/) ?? 0, // it is left out if there were none
    mss,
  };
}

function runSs(args: readonly string[], timeoutMs: number): Promise<string> {
  return new Promise((resolve) => {
    execFile('ss', args, { timeout: timeoutMs, encoding: 'utf8' }, (error, stdout) =>
      resolve(error ? '' : stdout),
    );
  });
}

/** `ss` finds no address with a zone. */
const withoutZone = (address: string): string => address.replace(/%.*$/, '');

/** Asks `ss` about an open connection, before anything is sent on it. */
export const askKernel: AskKernel = async (
  { localAddress, localPort, remoteAddress, remotePort },
  latencyMs,
  remainingMs,
) => {
  if (process.platform !== 'linux' || latencyMs < SLOW_HANDSHAKE_MS || remainingMs <= 0)
    return null;
  if (!localAddress || !localPort || !remoteAddress || !remotePort) return null;
  const ends = [
    ['src', formatHostPort(withoutZone(localAddress), localPort)],
    ['dst', formatHostPort(withoutZone(remoteAddress), remotePort)],
  ].flat();
  const timeoutMs = Math.ceil(Math.min(remainingMs, LONGEST_MS));
  const text = await runSs(['-Htino', ...ends], timeoutMs).catch(() => '');
  const facts = parseSocketStatistics(text);
  return facts && { ...facts, cause: delayCause(latencyMs, facts) };
};
