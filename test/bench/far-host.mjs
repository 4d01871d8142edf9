import { atEnd, file, must, openPort, start } from './processes.mjs';

const CLIENT = '10.203.0.1';
const SERVER = '10.203.0.2';
let count = 0;

/**
 * A host with an open port and a known round-trip time: two namespaces and a delaying link.
 *
 * @param {number} rttMs
 * @returns its address, and the words that start a command in the client's namespace
 */
export async function farHost(rttMs) {
  count += 1;
  const [client, server] = ['client', 'server'].map(
    (role) => `portping-bench-${process.pid}-${count}-${role}`,
  );
  for (const namespace of [client, server]) {
    must(`ip netns add ${namespace}`);
    atEnd(() => must(`ip netns del ${namespace}`));
    must(`ip -n ${namespace} link set lo up`);
  }
  const inside = (namespace) => ['ip', 'netns', 'exec', namespace];
  await start([
    ...inside(client),
    'python3',
    file('../support/delay-link.py'),
    String(rttMs / 2),
    'far',
    'near',
  ]);
  must(`ip -n ${client} link set near netns ${server}`);
  const ends = [
    [client, 'far', CLIENT, SERVER],
    [server, 'near', SERVER, CLIENT],
  ];
  for (const [namespace, device, own, peer] of ends) {
    must(`ip -n ${namespace} link set ${device} up`);
    must(`ip -n ${namespace} addr add ${own} peer ${peer} dev ${device}`);
  }
  return {
    host: SERVER,
    port: await openPort([SERVER], inside(server)),
    device: 'far',
    prefix: inside(client),
  };
}
