import { formatHostPort } from '../../target/target.js';
import type { ServiceProtocol } from '../conversation/service-protocol.js';

/** The value of `Host`: without the port if that is a default one (RFC 9110, 7.2). */
function authority(host: string, port: number): string {
  const full = formatHostPort(host, port);
  return port === 80 || port === 443 ? full.replace(/:\d+$/, '') : full;
}

/** HTTP (RFC 9112): `HEAD /`. Any status is an answer, except 1xx: another one follows. */
export const http: ServiceProtocol = {
  recognizedAs: ['HTTP'],
  async check(conversation, { host, port }) {
    const lines = [
      'HEAD / HTTP/1.1',
      `Host: ${authority(host, port)}`,
      'User-Agent: portping',
      'Accept: */*',
      'Connection: close',
      '',
    ];
    conversation.writeLine(lines.join('\r\n'));
    const awaited = 'its answer to HEAD';
    const readStatus = async (): Promise<string> => {
      const line = await conversation.readLine(awaited);
      if (/^HTTP\/\d(\.\d)? [1-5]\d\d( |$)/.test(line)) return line;
      throw conversation.unexpected(line, 'an HTTP response');
    };
    for (let line = await readStatus(); /^\S+ 1/.test(line);) {
      while ((await conversation.readLine(awaited)) !== ''); // the header of the interim response
      line = await readStatus();
      conversation.noteAnswer(line);
    }
    return {};
  },
};
