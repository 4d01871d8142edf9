import { type NumberedReply, readReply } from './numbered-reply.js';
import type { ServiceCheck } from '../conversation/service-check.js';

/** FTP (RFC 959): its greeting, NOOP, with AUTH TLS (RFC 4217) where that is asked for, and QUIT. */
export const checkFtp: ServiceCheck = async (talk, { startTls }) => {
  const readGreeting = (): Promise<NumberedReply> => readReply(talk, 'its greeting', 'FTP');
  let greeting = await readGreeting();
  while (greeting.code === 120) greeting = await readGreeting(); // ready in so many minutes (RFC 959, 5.4): it greets when it is
  if (greeting.code !== 220)
    talk.turnAway(greeting.lines[0] ?? '', 'it turned us away instead of greeting with 220');
  if (startTls) {
    talk.writeLine('AUTH TLS');
    const ready = await readReply(talk, 'its answer to AUTH TLS', 'FTP');
    if (ready.code !== 234) talk.refuseTls(ready.lines[0] ?? '', 'AUTH TLS');
    await talk.startTls();
  }
  // SMTP greets alike, and tells itself by this: its answer to NOOP is 250, FTP's 200, or 530 before anybody has logged in.
  talk.writeLine('NOOP');
  const {
    code,
    lines: [line = ''],
  } = await readReply(talk, 'its answer to NOOP', 'FTP');
  if (code === 250) talk.turnAway(line, 'it answered NOOP as SMTP does, not FTP');
  if (code === 421) talk.turnAway(line, 'it turned us away');
  return { farewell: 'QUIT' };
};
