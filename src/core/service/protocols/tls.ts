import type { ServiceCheck } from '../conversation/service-check.js';

/** TLS itself, whatever is said through it. */
export const checkTls: ServiceCheck = async (talk) => {
  talk.noteAnswer();
  return { meaning: talk.tls?.version ?? 'TLS' };
};
