import { HelperProcess } from './helper-process.js';
import type { Lab, Role } from './lab.js';

/** A program that sends datagrams to a port, such as a statsd client. */
export interface UdpNoise {
  address: string;
  port: number;
  perSecond: number;
}

const script = `
const [address, port, perSecond] = process.argv.slice(1);
const type = address.includes(':') ? 'udp6' : 'udp4';
const socket = require('node:dgram').createSocket(type).on('error', () => {});
socket.connect(Number(port), address, () => {
  setInterval(() => socket.send('portping.lab:1|c', () => {}), 1000 / perSecond);
  console.log('true');
});
process.stdin.on('end', () => process.exit()).resume();`;

/** Starts to send datagrams from a namespace. Resolves when it does; returns how to stop it. */
export async function startUdpNoise(
  lab: Lab,
  role: Role,
  { address, port, perSecond }: UdpNoise,
): Promise<() => Promise<void>> {
  const argv = [process.execPath, '-e', script, address, String(port), String(perSecond)];
  const { helper } = await HelperProcess.start(lab.spawn(role, argv, { stdio: 'pipe' }));
  return () => helper.stop();
}
