import { describe, expect, it } from 'vitest';
import { VERDICT_WORDS } from '../../../src/core/service/conversation/verdict-words.js';
import {
  EXIT_CODES,
  EXPECTATIONS,
  FAILED_REASONS,
  FILTERED_REASONS,
} from '../../../src/core/states.js';
import { UsageError } from '../../../src/core/usage-error.js';
import { explainError } from '../../../src/report/explain/error-table.js';
import { explainQuery } from '../../../src/report/explain/explain-query.js';
import { describeReason } from '../../../src/report/outcome-words.js';
import { freePort } from '../../support/listeners.js';
import { portping } from '../../support/portping.js';

const explain = (query: string): string => explainQuery(query, 'linux');

describe('--explain takes what portping prints', () => {
  it.each([
    ['<10060>', '10060'],
    ['Error Detected: Connection refused <10061> returned.', '10061'],
    ['db:25 (192.0.2.1)  Error Detected: Connection refused <10065> returned.', '10065'],
    ['filtered, no answer: 10060 WSAETIMEDOUT (ETIMEDOUT): no answer from db', '10060'],
    ['PORTPING CRITICAL: db:25 closed, refused <10061> after 0.17 ms', '10061'],
    ['Error: connect ECONNREFUSED 127.0.0.1:25', '10061'],
    ['getaddrinfo EAI_AGAIN db', 'EAI_AGAIN'],
    ['WSAETIMEDOUT', '10060'],
    [' 10061 ', '10061'],
  ])('%s is explained as %s', (query, code) => {
    expect(explain(query)).toBe(explainError(code, 'linux'));
  });

  it.each([
    ['linux', 'EPROTO'],
    ['linux', '<71>'],
    ['linux', '-71'],
    ['darwin', '100'],
    ['win32', 'EPROTO'],
  ] as const)(
    'an ICMP error that Windows Sockets has no number for: on %s %s',
    (platform, query) => {
      expect(explainQuery(query, platform)).toMatch(
        /^EPROTO \(Linux 71, macOS 100\)\n.*ICMP error/,
      );
    },
  );

  it('71 of macOS and 100 of Linux, which are other errors', () => {
    expect(explainQuery('71', 'darwin')).toContain('WSAEREMOTE');
    expect(explainQuery('100', 'linux')).toContain('WSAENETDOWN');
  });

  it('a refused port, both lines of it', async () => {
    const { stdout, stderr } = await portping(['127.0.0.1', String(await freePort())]);
    for (const line of [stdout, stderr.split('\n')[0] ?? '', `${stdout}${stderr}`]) {
      const explained = await portping(['--explain', line]);
      expect(explained).toMatchObject({ stdout: explainError('10061', process.platform) });
    }
  });

  it.each(EXIT_CODES.flatMap(({ reasons, exitCode }) => reasons.map((each) => [each, exitCode])))(
    'the reason %s, with exit code %i, also in the words of a verdict',
    (reason, exitCode) => {
      const key = reason as (typeof FILTERED_REASONS)[number];
      const text = explain(key);
      expect(text).toMatch(new RegExp(`^${key} \\(exit code ${exitCode}(, state \\w+)?\\)\\n`));
      expect(text.split('\n')).toHaveLength(4);
      expect(explain(describeReason(key))).toContain(text);
      expect(explain(`{"state":"x","reason":"${key}","error":null}`)).toContain(text);
    },
  );

  it('every state, with its exit code', () => {
    for (const { state, exitCode } of EXIT_CODES)
      if (state !== null) {
        expect(explain(state)).toContain(`exit code ${exitCode}, state ${state}\n`);
        expect(explain(state.toUpperCase())).toBe(explain(state));
      }
    for (const state of EXPECTATIONS) expect(explain(state)).toMatch(/\.\n/);
    expect(explain('not open')).toBe(explain('not-open'));
  });

  it.each(EXIT_CODES.map(({ exitCode, meaning }) => [exitCode, meaning] as const))(
    'exit code %i in words',
    (exitCode, meaning) => {
      for (const query of [`exit ${exitCode}`, `exit code ${exitCode}`, `Exit code: ${exitCode}`])
        expect(explain(query)).toMatch(new RegExp(`^exit code ${exitCode}\\b`));
      expect(explain(meaning)).toContain(`exit code ${exitCode}`);
    },
  );

  it.each([
    ['NXDOMAIN', 'ENOTFOUND'],
    ['nxdomain', 'ENOTFOUND'],
    ['SERVFAIL', 'ESERVFAIL'],
    ['NODATA', 'ENODATA'],
  ])('the DNS reply %s', (query, code) => {
    expect(explain(query)).toBe(`${query.toUpperCase()}: ${explainError(code, 'linux')}`);
  });

  it('a word with two meanings with both', () => {
    expect(explain('refused')).toContain('DNS server refused');
    expect(explain('refused')).toContain('conn-refused (exit code 1, state closed)');
  });

  it.each<readonly [string, RegExp]>([
    ['CERT_HAS_EXPIRED', / has expired\.\n/],
    ['cert_has_expired', / has expired\.\n/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /is self-signed\.\n/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /intermediate certificate\.\n/],
    ['Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not', /for other names/],
    ...Object.keys(VERDICT_WORDS).map((verdict) => [verdict, /^[^\n]+\n[^\n]+\.\n/] as const),
  ])('the verdict %s on a certificate', (query, meaning) => {
    expect(explain(query)).toMatch(meaning);
  });
});

describe('--explain refuses', () => {
  it.each(['blah', '', 'hello, world', 'constructor', '__proto__', 'x'.repeat(300)])(
    'what it does not know: %j',
    (query) => {
      expect(() => explain(query)).toThrow(UsageError);
      expect(() => explain(query)).toThrow(/^--explain: ".{0,60}(\.\.\.)?" is not in the table; /);
    },
  );

  it('and repeats nothing harmful', async () => {
    const { stdout, stderr, exitCode } = await portping(['--explain', 'a\x1b[2Jb\u202e']);
    expect(stderr).toMatch(/^portping: --explain: "a\\x1b\[2Jb\\u202e" [ -~]+\n$/);
    expect([stdout, exitCode]).toEqual(['', 64]);
  });
});

it('no reason of another kind is taken for a code', () => {
  for (const reason of [...FILTERED_REASONS, ...FAILED_REASONS])
    expect(explain(reason)).not.toMatch(/WSA/);
});
