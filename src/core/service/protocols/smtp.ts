import { isIP } from 'node:net';
import type { Conversation } from '../conversation/conversation.js';
import { serviceRefused, startTlsRefused, tlsFailed } from '../conversation/service-failure.js';
import type { ServiceProtocol } from '../conversation/service-protocol.js';
import { GREETS_BY_NUMBER, type NumberedReply, readReply } from './numbered-reply.js';

/** Our name for EHLO: our address (RFC 5321, 4.1.3). This machine may have no public name. */
function ownName(localAddress: string | null): string {
  const address = (localAddress ?? '127.0.0.1').replace(/%.*$/, '');
  return isIP(address) === 6 ? `[IPv6:${address}]` : `[${address}]`;
}

async function sendHello(conversation: Conversation, name: string): Promise<NumberedReply> {
  conversation.writeLine(`EHLO ${name}`);
  const hello = await readReply(conversation, 'its answer to EHLO', 'SMTP');
  if (hello.code === 250) return hello;
  // Servers without extensions answer 5xx and accept HELO (RFC 5321, 4.1.1.1). FTP does not.
  if (hello.code >= 500) {
    conversation.writeLine(`HELO ${name}`);
    const simple = await readReply(conversation, 'its answer to HELO', 'SMTP');
    if (simple.code === 250) return simple;
  }
  throw serviceRefused('it greeted like SMTP, but refused EHLO', hello.line);
}

/** SMTP (RFC 5321): greeting; EHLO; with TLS also STARTTLS (RFC 3207) and EHLO again; QUIT. */
export const smtp: ServiceProtocol = {
  recognizedAs: GREETS_BY_NUMBER,
  async check(conversation, { localAddress, startTls }) {
    const name = ownName(localAddress);
    const greeting = await readReply(conversation, 'its greeting', 'SMTP');
    if (greeting.code !== 220)
      throw serviceRefused('it refused service instead of greeting with 220', greeting.line);
    const hello = await sendHello(conversation, name);
    if (startTls) {
      if (!hello.lines.some((line) => /^250[ -]STARTTLS\b/i.test(line)))
        throw tlsFailed({ failure: 'no-starttls', problem: 'it does not offer STARTTLS' });
      conversation.writeLine('STARTTLS');
      const ready = await readReply(conversation, 'its answer to STARTTLS', 'SMTP');
      if (ready.code !== 220) throw startTlsRefused('STARTTLS', ready.line);
      await conversation.startTls();
      await sendHello(conversation, name);
    }
    return { farewell: 'QUIT' };
  },
};
