import { describe, expect, it } from 'vitest';
import { BrowserGuard } from '../../../src/exporter/access/browser-guard.js';
import { Refusal } from '../../../src/exporter/access/refusal.js';

/** The reason of a refusal; undefined when there is none. */
function reasonOf(check: () => void): string | undefined {
  try {
    check();
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
  return undefined;
}

describe('the Host header', () => {
  const answers = (authority: string | undefined, address: string | null, names: string[] = []) =>
    reasonOf(() => new BrowserGuard(address, names).checkHost({ authority, headers: {} })) ===
    undefined;

  it.each([
    'localhost',
    'LOCALHOST:9991',
    'localhost.:9991',
    '127.0.0.1:9991',
    '10.0.0.5',
    '[::1]:9991',
    '[::1]',
    undefined, // HTTP/1.0
  ])('%s is answered on a loopback address', (authority) => {
    expect(answers(authority, '127.0.0.1')).toBe(true);
    expect(answers(authority, '::1')).toBe(true);
  });

  it.each([
    'evil.example',
    'evil.example:9991',
    'localhost.evil.example',
    'evil-localhost',
    '127.0.0.1.evil.example',
    '127.1:9991', // no browser sends it
    '',
    ':9991',
    '[::1',
    'localhost:1:2',
    '[evil.example]',
    'evil.example@localhost',
    'localhost/',
  ])('"%s" is refused on a loopback address', (authority) => {
    expect(answers(authority, '127.0.0.1')).toBe(false);
    expect(answers(authority, '127.9.9.9')).toBe(false);
    expect(answers(authority, '::1')).toBe(false);
  });

  it('may be any name on other addresses, unless names are given', () => {
    for (const address of [null, '0.0.0.0', '10.0.0.5', '::'])
      expect(answers('probes.example.com', address)).toBe(true);
    for (const address of [null, '127.0.0.1']) {
      const names = ['Probes.example.com', 'bücher.example'];
      expect(answers('probes.example.com:443', address, names)).toBe(true);
      expect(answers('PROBES.EXAMPLE.COM.', address, names)).toBe(true);
      expect(answers('xn--bcher-kva.example', address, names)).toBe(true);
      expect(answers('localhost', address, names)).toBe(true);
      expect(answers('a.probes.example.com', address, names)).toBe(false);
      expect(answers('evil.example', address, names)).toBe(false);
    }
  });
});

describe('the site of a request', () => {
  const guard = new BrowserGuard('127.0.0.1', ['probes.example.com']);
  const check = (headers: Record<string, string>, hasEffects = true) =>
    reasonOf(() => guard.checkSite({ authority: '10.0.0.5:9991', headers }, hasEffects));
  const chromium = { 'user-agent': 'Mozilla/5.0 (X11)', 'accept-language': 'en' };

  it.each(['cross-site', 'same-site', 'cross-site, none', 'None', ''])(
    'Sec-Fetch-Site "%s" is refused',
    (site) => {
      expect(check({ 'sec-fetch-site': site })).toBe('cross-site');
      expect(check({ 'sec-fetch-site': site }, false)).toBe('cross-site');
    },
  );

  it.each(['same-origin', 'none'])('Sec-Fetch-Site "%s" is answered', (site) => {
    expect(check({ ...chromium, 'sec-fetch-site': site })).toBe(undefined);
  });

  it('a link of another site may open a page without effects, and nothing else', () => {
    const link = {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    };
    expect(check(link, false)).toBe(undefined);
    expect(check(link, true)).toBe('cross-site');
    expect(check({ ...link, 'sec-fetch-dest': 'iframe' }, false)).toBe('cross-site');
    expect(check({ ...link, 'sec-fetch-mode': 'no-cors' }, false)).toBe('cross-site');
  });

  it.each([
    ['http://10.0.0.5:9991', undefined],
    ['https://probes.example.com', undefined],
    ['http://10.0.0.5', 'cross-site'],
    ['http://10.0.0.5:9992', 'cross-site'],
    ['https://evil.example', 'cross-site'],
    ['http://localhost:8080', 'cross-site'],
    ['null', 'cross-site'],
    ['', 'cross-site'],
  ])('without Sec-Fetch-Site the Origin "%s" decides', (origin, reason) => {
    expect(check({ origin })).toBe(reason);
    expect(check({ origin }, false)).toBe(reason);
  });

  it('without both a browser must name a page of the exporter, and a program need not', () => {
    expect(check({ ...chromium, referer: 'http://10.0.0.5:9991/' })).toBe(undefined);
    expect(check({ ...chromium, referer: 'https://probes.example.com/' })).toBe(undefined);
    expect(check({ ...chromium, referer: 'http://evil.example/' })).toBe('cross-site');
    expect(check(chromium)).toBe('cross-site');
    expect(check(chromium, false)).toBe(undefined);
    for (const headers of [
      {},
      { 'user-agent': 'curl/8.5' },
      { 'user-agent': 'Prometheus/3.0', 'accept-language': 'en' },
      { 'user-agent': 'Mozilla/5.0 (Windows NT) WindowsPowerShell/5.1' },
    ])
      expect(check(headers)).toBe(undefined);
  });
});
