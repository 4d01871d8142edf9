// The obvious way to time name resolution with Node: a clock around dns.lookup, or around queries
// of a DNS server for A and AAAA. Prints the milliseconds of two resolutions, one after the other.
import { lookup, Resolver } from 'node:dns/promises';

const [host, server] = process.argv.slice(2);
const resolver = new Resolver();
if (server) resolver.setServers([server]);
const resolve = () =>
  server
    ? Promise.all([resolver.resolve4(host), resolver.resolve6(host).catch(() => [])])
    : lookup(host, { all: true });

const times = [];
for (let turn = 0; turn < 2; turn++) {
  const start = process.hrtime.bigint();
  await resolve();
  times.push(Number(process.hrtime.bigint() - start) / 1e6);
}
process.stdout.write(`${JSON.stringify(times)}\n`);
