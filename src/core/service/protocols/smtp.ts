import { isIP } from 'node:net';
import type { Conversation } from '../conversation/conversation.js';
import { type NumberedReply, readReply } from './numbered-reply.js';
import type { ServiceCheck } from '../conversation/service-check.js';

/** How we introduce ourselves: by our address (RFC 5321, 4.1.3), because this machine may have no name that means anything there. */
function ownName(localAddress: string | null): string {
  const address = (localAddress ?? '127.0.0.1').replace(/%.*$/, '');
  return isIP(address) === 6 ? `[IPv6:${address}]` : `[${address}]`;
}

async function introduce(talk: Conversation, name: string): Promise<NumberedReply> {
  talk.writeLine(`EHLO ${name}`);
  const hello = await readReply(talk, 'its answer to EHLO', 'SMTP');
  if (hello.code === 250) return hello;
  // Servers that know no extensions say so by 5xx, and understand HELO (RFC 5321, 4.1.1.1). So does not, say, FTP.
  if (hello.code >= 500) {
    talk.writeLine(`HELO ${name}`);
    const simple = await readReply(talk, 'its answer to HELO', 'SMTP');
    if (simple.code === 250) return simple;
  }
  return talk.turnAway(hello.lines[0] ?? '', 'it greeted as SMTP does, but said no to EHLO');
}

/** SMTP (RFC 5321): its greeting, EHLO, with STARTTLS (RFC 3207) where that is asked for, and QUIT. */
export const checkSmtp: ServiceCheck = async (talk, { localAddress, startTls }) => {
  const name = ownName(localAddress);
  const greeting = await readReply(talk, 'its greeting', 'SMTP');
  if (greeting.code !== 220)
    talk.turnAway(greeting.lines[0] ?? '', 'it turned us away instead of greeting with 220');
  const hello = await introduce(talk, name);
  if (startTls) {
    if (!hello.lines.some((line) => /^250[ -]STARTTLS\b/i.test(line)))
      talk.failTls({ failure: 'no-starttls', problem: 'it does not offer STARTTLS' });
    talk.writeLine('STARTTLS');
    const ready = await readReply(talk, 'its answer to STARTTLS', 'SMTP');
    if (ready.code !== 220) talk.refuseTls(ready.lines[0] ?? '', 'STARTTLS');
    await talk.startTls();
    await introduce(talk, name);
  }
  return { farewell: 'QUIT' };
};
