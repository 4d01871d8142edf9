import type { ServiceCheck } from '../conversation/service-check.js';

/** A line that is not whole is taken as it is when nothing follows for so long, milliseconds: not every greeting ends with a line. */
const PAUSE_MS = 500;

/** Whatever the server says first. */
export const checkBanner: ServiceCheck = async (talk) => {
  await talk.listen(PAUSE_MS, 'its first words');
  return {};
};
