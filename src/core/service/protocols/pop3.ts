import type { Conversation } from '../conversation/conversation.js';
import type { ServiceCheck } from '../conversation/service-check.js';

/** The first line of an answer (RFC 1939, 3); true for `+OK`, false for `-ERR`. */
async function readStatus(
  talk: Conversation,
  awaited: string,
  expected: string,
): Promise<{ readonly line: string; readonly ok: boolean }> {
  const line = await talk.readLine(awaited);
  if (!/^(\+OK|-ERR)( |$)/.test(line)) talk.refuse(line, expected);
  return { line, ok: line.startsWith('+OK') };
}

/** POP3 (RFC 1939): its greeting, with STLS (RFC 2595) and CAPA behind it where that is asked for, and QUIT. */
export const checkPop3: ServiceCheck = async (talk, { startTls }) => {
  const greeting = await readStatus(talk, 'its greeting', 'a greeting of POP3');
  if (!greeting.ok) talk.turnAway(greeting.line, 'it turned us away instead of greeting with +OK');
  if (startTls) {
    talk.writeLine('STLS');
    const ready = await readStatus(talk, 'its answer to STLS', 'an answer of POP3');
    if (!ready.ok) talk.refuseTls(ready.line, 'STLS');
    await talk.startTls();
    talk.writeLine('CAPA');
    const { ok } = await readStatus(talk, 'its answer to CAPA', 'an answer of POP3'); // either answer shows that it is there
    while (ok && (await talk.readLine('its answer to CAPA')) !== '.');
  }
  return { farewell: 'QUIT' };
};
