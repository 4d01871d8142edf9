import type { Conversation } from '../conversation/conversation.js';
import type { ServiceCheck } from '../conversation/service-check.js';

/** Says a command and reads to the line that has its tag (RFC 9051, 2.2.2); what comes before that is not for us. */
async function ask(talk: Conversation, tag: string, command: string): Promise<string> {
  talk.writeLine(`${tag} ${command}`);
  for (;;) {
    const line = await talk.readLine(`its answer to ${command}`);
    if (line.startsWith(`${tag} `)) return line;
    if (!line.startsWith('* ')) talk.refuse(line, 'an answer of IMAP');
  }
}

/** IMAP (RFC 9051): its greeting, with STARTTLS and CAPABILITY behind it where that is asked for, and LOGOUT. */
export const checkImap: ServiceCheck = async (talk, { startTls }) => {
  const greeting = await talk.readLine('its greeting');
  if (/^\* BYE\b/i.test(greeting))
    talk.turnAway(greeting, 'it turned us away instead of greeting with OK');
  if (!/^\* (OK|PREAUTH)\b/i.test(greeting)) talk.refuse(greeting, 'a greeting of IMAP');
  if (startTls) {
    const ready = await ask(talk, 'p1', 'STARTTLS');
    if (!/^p1 OK\b/i.test(ready)) talk.refuseTls(ready, 'STARTTLS');
    await talk.startTls();
    const capable = await ask(talk, 'p2', 'CAPABILITY');
    if (!/^p2 OK\b/i.test(capable)) talk.turnAway(capable, 'it said no to CAPABILITY');
  }
  return { farewell: 'p3 LOGOUT' };
};
