import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run, start, temporaryFolder } from './processes.mjs';

/** A line of tcpdump's about a SYN or a SYN-ACK. */
const LINE = /^(\d+)\.(\d{9}) .*?\.(\d+) > \S+\.(\d+): Flags \[(S\.?)\]/gm;

/**
 * The source port, the time of the SYN (seconds since 1970), and the time from it to the SYN-ACK.
 *
 * @typedef {{ port: number, synAt: number, latencyMs: number }} Handshake
 */

/** @returns {Handshake[]} */
function handshakes(text, serverPort) {
  const syns = new Map();
  const found = [];
  for (const [, seconds, nanoseconds, from, to, flags] of text.matchAll(LINE)) {
    if (flags === 'S' && to === serverPort) {
      if (!syns.has(from)) syns.set(from, { seconds, nanoseconds }); // not a repeated one
    } else if (flags === 'S.' && from === serverPort && syns.has(to)) {
      const syn = syns.get(to);
      syns.delete(to);
      found.push({
        port: Number(to),
        synAt: Number(`${syn.seconds}.${syn.nanoseconds}`),
        latencyMs: (seconds - syn.seconds) * 1e3 + (nanoseconds - syn.nanoseconds) / 1e6,
      });
    }
  }
  return found;
}

/**
 * Starts to record the handshakes with a port. The kernel stamps the packets and delivers them in
 * blocks of up to 1 s, so tcpdump sleeps during a measurement.
 *
 * @param {string} device
 * @param {string} port
 * @param {string[]} prefix words before the command
 * @returns {Promise<() => Promise<Handshake[]>>} what ends it and gives the handshakes
 */
export async function captureHandshakes(device, port, prefix) {
  const path = join(temporaryFolder(), 'handshakes.pcap');
  const options = ['-n', '--time-stamp-precision', 'nano'];
  const { stop } = await start(
    [...prefix, 'tcpdump', '-i', device, ...options, '-Z', 'root', '-w', path, `tcp port ${port}`],
    'stderr',
  );
  await sleep(500);
  return async () => {
    await sleep(2000);
    await stop('SIGINT');
    return handshakes(
      run(['tcpdump', '-r', path, ...options, '-tt', 'tcp[tcpflags] & tcp-syn != 0']).stdout,
      port,
    );
  };
}

/**
 * Reported latency minus that on the wire, ms. null unless exactly one handshake matches: it began
 * while the command ran and, if the command reports its source port, came from there.
 */
export function errorAgainst(wire, { latencyMs, port, startedAt, endedAt }) {
  const fitting = wire.filter(
    (each) =>
      each.synAt >= startedAt &&
      each.synAt <= endedAt &&
      (port === undefined || each.port === port),
  );
  return fitting.length === 1 && Number.isFinite(latencyMs)
    ? latencyMs - fitting[0].latencyMs
    : null;
}
