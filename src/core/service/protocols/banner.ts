import type { ServiceProtocol } from '../conversation/service-protocol.js';

/** Some greetings have no line feed: after this pause they count as complete, milliseconds. */
const PAUSE_MS = 500;

/** Any protocol in which the server sends first. */
export const banner: ServiceProtocol = {
  recognizedAs: null,
  async check(conversation) {
    await conversation.waitForInput(PAUSE_MS, 'its greeting');
    return {};
  },
};
