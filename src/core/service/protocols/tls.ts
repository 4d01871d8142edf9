import type { ServiceProtocol } from '../conversation/service-protocol.js';

/** TLS alone, whatever protocol is inside. */
export const tls: ServiceProtocol = {
  recognizedAs: ['TLS'],
  check(conversation) {
    conversation.noteHandshakeAsAnswer();
    return Promise.resolve({ meaning: conversation.tls?.version ?? 'TLS' });
  },
};
