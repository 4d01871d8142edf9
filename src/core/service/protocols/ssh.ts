import { serviceRefused } from '../conversation/service-failure.js';
import type { ServiceProtocol } from '../conversation/service-protocol.js';

/** The beginning of lines of other protocols that greet, and would then wait for us. */
const OTHER_GREETING = /^(\d{3}[ -]|\+OK|\* |HTTP\/|RFB )/;

/**
 * SSH (RFC 4253, 4.2): reads the identification, which other lines may precede. Sends nothing: key
 * exchange would come next.
 */
export const ssh: ServiceProtocol = {
  recognizedAs: ['SSH'],
  async check(conversation) {
    const first = await conversation.readLine('its identification');
    let line = first;
    while (!line.startsWith('SSH-')) {
      if (OTHER_GREETING.test(line)) throw conversation.unexpected(first, 'an SSH identification');
      line = await conversation.readLine('its identification');
    }
    if (line !== first) conversation.noteAnswer(line);
    if (!/^SSH-(2\.0|1\.99)-/.test(line)) throw serviceRefused('it does not speak SSH 2.0', line);
    return {};
  },
};
