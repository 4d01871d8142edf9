// A DNS server over UDP and TCP, started by Lab.dns().
// Speaks the line protocol of helper-process.ts.
import dgram from 'node:dgram';
import net from 'node:net';
import { createInterface } from 'node:readline';
import dnsPacket from 'dns-packet';

const config = JSON.parse(process.argv[2]);
const queries = [];
const rcodes = { FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 };
let zone = lowerCaseKeys(config.zone);

const soa = {
  type: 'SOA',
  name: 'test',
  data: { mname: 'ns.test', rname: 'admin.test' },
};
const ns = { type: 'NS', name: 'test', data: 'ns.test' };
const glue = { type: 'A', name: 'ns.test', data: '192.0.2.53' };
/** What replies have besides; flags replace "recursion available". */
const forms = {
  'NODATA SOA': { authorities: [soa] },
  'NODATA AUTHORITATIVE': { flags: dnsPacket.AUTHORITATIVE_ANSWER, authorities: [soa] },
  REFERRAL: { flags: 0, authorities: [ns], additionals: [glue] },
  'REFERRAL BARE': { flags: 0, authorities: [ns] },
  'NO RECURSION': { flags: 0 },
};

/** The flags and the sections of the reply to a question. */
function replyTo(question, records, { aliases, name, isTruncated }) {
  const { flags = dnsPacket.RECURSION_AVAILABLE, ...sections } = forms[records] ?? {};
  const rcode = rcodes[records] ?? 0;
  if (isTruncated) return { flags: flags | dnsPacket.TRUNCATED_RESPONSE | rcode, ...sections };
  const addresses =
    typeof records === 'string'
      ? []
      : records.map((data) => ({ ...question, name, ttl: 60, data }));
  return { flags: flags | rcode, answers: [...aliases, ...addresses], ...sections };
}

/** Calls `send` with the reply to a query, after its delay; not at all for a silent name. */
function handle(query, transport, send) {
  const { id, flags, questions } = query;
  const [question] = questions;
  if (!question) return;
  const atMs = Number(process.hrtime.bigint()) / 1e6;
  queries.push({ name: question.name, type: question.type, transport, atMs });
  const { aliases, name, entry } = followAliases(question.name);
  const records = typeof entry === 'string' ? entry : (entry[question.type] ?? 'NODATA');
  if (records === 'silent') return;
  if (entry.lost?.[question.type] > 0) {
    entry.lost[question.type] -= 1;
    return;
  }
  const isTruncated = entry.truncated === true && transport === 'udp';
  const reply = replyTo(question, records, { aliases, name, isTruncated });
  reply.flags |= flags & dnsPacket.RECURSION_DESIRED;
  const { delayMs = 0 } = entry;
  const delay = delayMs[question.type] ?? delayMs;
  setTimeout(send, delay, { id, type: 'response', questions, ...reply });
}

/** Follows aliases like a recursive server: returns the CNAME records and the last name's entry. */
function followAliases(question) {
  const aliases = [];
  let name = question;
  for (;;) {
    const entry = zone[name.toLowerCase()] ?? config.unknown;
    if (!entry.CNAME) return { aliases, name, entry };
    const isLoop = aliases.some((alias) => alias.name === name);
    if (isLoop) return { aliases, name, entry: 'NODATA' };
    aliases.push({ name, type: 'CNAME', ttl: 60, data: entry.CNAME });
    name = entry.CNAME;
  }
}

function lowerCaseKeys(entries) {
  return Object.fromEntries(
    Object.entries(entries).map(([name, entry]) => [name.toLowerCase(), entry]),
  );
}

const udp = dgram.createSocket(net.isIPv6(config.address) ? 'udp6' : 'udp4');
const replying = config.replyFrom ? dgram.createSocket('udp4') : udp;
if (config.replyFrom) replying.bind(config.port, config.replyFrom);
udp.on('message', (message, from) => {
  handle(dnsPacket.decode(message), 'udp', (reply) =>
    replying.send(dnsPacket.encode(reply), from.port, from.address),
  );
});

const tcp = net.createServer((socket) => {
  let received = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0);
      handle(dnsPacket.streamDecode(received.subarray(0, end)), 'tcp', (reply) => {
        if (socket.writable) socket.write(dnsPacket.streamEncode(reply));
      });
      received = received.subarray(end);
    }
  });
});

udp.bind(config.port, config.address, () => {
  const ready = () => answer({ port: config.port });
  if (config.tcp === false) ready();
  else tcp.listen(config.port, config.address, ready);
});
createInterface({ input: process.stdin })
  .on('line', (line) => {
    const request = JSON.parse(line);
    if (request.zone) zone = { ...zone, ...lowerCaseKeys(request.zone) };
    answer(queries);
  })
  .on('close', () => process.exit());

function answer(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
