import type { Conversation } from '../conversation/conversation.js';
import { serviceRefused, startTlsRefused } from '../conversation/service-failure.js';
import type { ServiceProtocol } from '../conversation/service-protocol.js';

/** Sends a command and reads up to the line with its tag (RFC 9051, 2.2.2). */
async function sendCommand(
  conversation: Conversation,
  tag: string,
  command: string,
): Promise<string> {
  conversation.writeLine(`${tag} ${command}`);
  for (;;) {
    const line = await conversation.readLine(`its answer to ${command}`);
    if (line.startsWith(`${tag} `)) return line;
    if (!line.startsWith('* ')) throw conversation.unexpected(line, 'an IMAP response');
  }
}

/** IMAP (RFC 9051): greeting; with TLS also STARTTLS and CAPABILITY; LOGOUT. */
export const imap: ServiceProtocol = {
  recognizedAs: ['IMAP'],
  async check(conversation, { startTls }) {
    const greeting = await conversation.readLine('its greeting');
    if (/^\* BYE\b/i.test(greeting))
      throw serviceRefused('it refused service instead of greeting with OK', greeting);
    if (!/^\* (OK|PREAUTH)\b/i.test(greeting))
      throw conversation.unexpected(greeting, 'an IMAP greeting');
    if (startTls) {
      const ready = await sendCommand(conversation, 'p1', 'STARTTLS');
      if (!/^p1 OK\b/i.test(ready)) throw startTlsRefused('STARTTLS', ready);
      await conversation.startTls();
      const capable = await sendCommand(conversation, 'p2', 'CAPABILITY');
      if (!/^p2 OK\b/i.test(capable)) throw serviceRefused('it refused CAPABILITY', capable);
    }
    return { farewell: 'p3 LOGOUT' };
  },
};
