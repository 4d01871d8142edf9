import type { Conversation } from '../conversation/conversation.js';
import { serviceRefused, startTlsRefused } from '../conversation/service-failure.js';
import type { ServiceProtocol } from '../conversation/service-protocol.js';

/** Reads the first line of an answer (RFC 1939, 3): `+OK` or `-ERR`. */
async function readStatus(
  conversation: Conversation,
  awaited: string,
  expected: string,
): Promise<{ readonly line: string; readonly ok: boolean }> {
  const line = await conversation.readLine(awaited);
  if (!/^(\+OK|-ERR)( |$)/.test(line)) throw conversation.unexpected(line, expected);
  return { line, ok: line.startsWith('+OK') };
}

/** POP3 (RFC 1939): greeting; with TLS also STLS (RFC 2595) and CAPA; QUIT. */
export const pop3: ServiceProtocol = {
  recognizedAs: ['POP3'],
  async check(conversation, { startTls }) {
    const greeting = await readStatus(conversation, 'its greeting', 'a POP3 greeting');
    if (!greeting.ok)
      throw serviceRefused('it refused service instead of greeting with +OK', greeting.line);
    if (startTls) {
      conversation.writeLine('STLS');
      const ready = await readStatus(conversation, 'its answer to STLS', 'a POP3 response');
      if (!ready.ok) throw startTlsRefused('STLS', ready.line);
      await conversation.startTls();
      conversation.writeLine('CAPA');
      const awaited = 'its answer to CAPA';
      // Also -ERR shows that POP3 works inside TLS: CAPA is optional.
      const { ok } = await readStatus(conversation, awaited, 'a POP3 response');
      while (ok && (await conversation.readLine(awaited)) !== '.');
    }
    return { farewell: 'QUIT' };
  },
};
