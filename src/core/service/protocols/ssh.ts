import type { ServiceCheck } from '../conversation/service-check.js';

/** SSH (RFC 4253, 4.2): the line with its version, before which there may be others. Nothing is said: keys would come next. */
export const checkSsh: ServiceCheck = async (talk) => {
  const first = await talk.readLine('its identification');
  let line = first;
  while (!line.startsWith('SSH-')) {
    // Other services greet too, and would then wait for us: only what cannot be one of them is read past.
    if (/^(\d{3}[ -]|\+OK|\* |HTTP\/|RFB )/.test(line))
      talk.refuse(first, 'an identification of SSH');
    line = await talk.readLine('its identification');
  }
  if (!/^SSH-(2\.0|1\.99)-/.test(line)) talk.turnAway(line, 'it does not speak SSH 2.0');
  return {};
};
