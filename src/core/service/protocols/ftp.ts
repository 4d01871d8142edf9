import { serviceRefused, startTlsRefused } from '../conversation/service-failure.js';
import type { ServiceProtocol } from '../conversation/service-protocol.js';
import { GREETS_BY_NUMBER, type NumberedReply, readReply } from './numbered-reply.js';

/** FTP (RFC 959): greeting; with TLS also AUTH TLS (RFC 4217); NOOP; QUIT. */
export const ftp: ServiceProtocol = {
  recognizedAs: GREETS_BY_NUMBER,
  async check(conversation, { startTls }) {
    const readGreeting = (): Promise<NumberedReply> =>
      readReply(conversation, 'its greeting', 'FTP');
    let greeting = await readGreeting();
    // "Service ready in nnn minutes" (RFC 959, 5.4): the greeting follows.
    while (greeting.code === 120) greeting = await readGreeting();
    if (greeting.code !== 220)
      throw serviceRefused('it refused service instead of greeting with 220', greeting.line);
    if (startTls) {
      conversation.writeLine('AUTH TLS');
      const ready = await readReply(conversation, 'its answer to AUTH TLS', 'FTP');
      if (ready.code !== 234) throw startTlsRefused('AUTH TLS', ready.line);
      await conversation.startTls();
    }
    // NOOP tells FTP from SMTP, which greets alike: SMTP answers 250; FTP 200, or 530 before login.
    conversation.writeLine('NOOP');
    const { code, line } = await readReply(conversation, 'its answer to NOOP', 'FTP');
    if (code === 250) throw serviceRefused('it answered NOOP like SMTP, not like FTP', line);
    if (code === 421) throw serviceRefused('it refused service', line);
    return { farewell: 'QUIT' };
  },
};
