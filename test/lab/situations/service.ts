import type { ScriptedAnswer } from '../../support/scripted-host.js';
import type { Situation, Truth } from './situation.js';

const open: Truth = { state: 'open', reason: null, decides: 0, made: [], facts: ['host-up'] };

/** A port of one address that opens; its other ports refuse. */
function behind(
  title: string,
  answer: ScriptedAnswer,
  truth: Partial<Truth>,
  ...options: string[]
): Situation {
  return {
    title,
    sites: [{ family: 4, port: [answer], others: ['reset'] }],
    ...(options.length > 0
      ? { options, modes: ['plain', 'verbose'] }
      : { modes: ['verbose', 'diagnose'] }),
    truth: { ...open, ...truth },
  };
}

const says = (banner: string, end?: 'close' | 'reset'): ScriptedAnswer => ({
  send: 'syn-ack',
  banner,
  ...(end ? { end } : {}),
});

const DAYTIME = 'Saturday, November 28, 2026 17:00:00-UTC\r\n';

/** What an open port does after the handshake. */
export const SERVICE: readonly Situation[] = [
  behind(
    'a proxy without a service closes the connection at once',
    { send: 'syn-ack', end: 'close' },
    {
      made: ['no-service-behind'],
      alike: ['refuses-client'],
      facts: ['host-up', 'sent-nothing'],
    },
  ),
  behind(
    'a proxy without a service resets the connection at once',
    { send: 'syn-ack', end: 'reset' },
    {
      made: ['no-service-behind'],
      alike: ['refuses-client'],
      facts: ['host-up', 'sent-nothing'],
    },
  ),
  behind('a service says the time and closes', says(DAYTIME, 'close'), {
    facts: ['host-up'],
  }),
  // The reset may overtake the data, so that none is read: then each run may see something else.
  behind('a service says the time and resets', says(DAYTIME, 'reset'), {
    varies: true,
    besides: ['refuses-client'],
    facts: ['host-up'],
  }),
  behind(
    'a service says the time and resets a moment later',
    { send: 'syn-ack', banner: DAYTIME, end: 'reset', endDelayMs: 60 },
    { facts: ['host-up'] },
  ),
  behind('a service greets and waits', says('220 lab ESMTP\r\n'), {
    facts: ['host-up'],
  }),
  behind('a service waits for the client', 'syn-ack', { facts: ['host-up'] }),
  behind(
    'a mail server says that it has no service and closes',
    says('554 no service for you\r\n', 'close'),
    { exitCode: 6, reason: 'wrong-protocol', shows: '554 no service for you' },
    '--service',
    'smtp',
  ),
  behind(
    'a mail server closes without a word',
    { send: 'syn-ack', end: 'close' },
    {
      exitCode: 6,
      reason: 'dropped',
      besides: ['no-service-behind'],
      facts: ['host-up', 'sent-nothing'],
    },
    '--service',
    'smtp',
  ),
  behind(
    'a mail server is silent',
    'syn-ack',
    {
      exitCode: 6,
      reason: 'silent',
      made: ['service-hangs'],
      alike: ['data-stopped', 'small-mtu'],
    },
    '--service',
    'smtp',
  ),
  behind(
    'a service without TLS speaks in clear text',
    says('220 lab ESMTP\r\n'),
    { exitCode: 6, reason: 'tls-failed', made: ['no-tls'], alike: ['proxy-answers'] },
    '--service',
    'smtps',
  ),
  behind(
    'any service says the time and closes',
    says(DAYTIME, 'close'),
    { shows: 'November 28' },
    '--service',
    'banner',
  ),
  behind(
    'an SSH server says lines before its identification',
    says('Authorised users only.\r\nAll is recorded.\r\nSSH-2.0-lab_1\r\n'),
    { shows: 'SSH-2.0-lab_1' },
    '--service',
    'ssh',
  ),
  behind(
    'an SSH server identifies itself',
    says('SSH-2.0-lab_1\r\n'),
    { shows: 'SSH-2.0-lab_1' },
    '--service',
    'ssh',
  ),
];
