// A DNS server that answers at once: each name has the address 127.0.0.1. Writes its address.
// Ends when its stdin ends.
import { createSocket } from 'node:dgram';
import dnsPacket from 'dns-packet';

const server = createSocket('udp4');
server.on('message', (message, { port, address }) => {
  const { id, questions } = dnsPacket.decode(message);
  const answers = questions
    .filter(({ type }) => type === 'A')
    .map(({ name }) => ({ type: 'A', name, ttl: 60, data: '127.0.0.1' }));
  const reply = { type: 'response', id, flags: dnsPacket.RECURSION_AVAILABLE, questions, answers };
  server.send(dnsPacket.encode(reply), port, address);
});
server.bind(0, '127.0.0.1', () => process.stdout.write(`127.0.0.1:${server.address().port}\n`));
process.stdin.resume().on('end', () => process.exit());
