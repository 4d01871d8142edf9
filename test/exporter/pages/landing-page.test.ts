import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { AllowList } from '../../../src/exporter/access/allow-list.js';
import { LANDING_HEADERS, renderLandingPage } from '../../../src/exporter/pages/landing-page.js';
import { RecentResults, resultOf } from '../../../src/exporter/pages/recent-results.js';
import {
  closedOutcome,
  eventOf,
  HARMFUL,
  HOSTILE,
  openOutcome,
  reportOf,
} from '../../support/reports.js';

describe('the landing page', () => {
  it('shows the latest results and why they failed', () => {
    const page = renderLandingPage(
      '1.2.3',
      new AllowList([]),
      [openOutcome(), closedOutcome()].map((outcome) => resultOf(eventOf(reportOf(outcome)))),
    );
    expect(page).toContain(
      '<td>mail.example.com:25</td><td>192.0.2.10</td><td><span class="open">open</span></td>' +
        '<td class="number">12.3 ms</td><td></td>',
    );
    expect(page).toMatch(
      /<span class="other">closed<\/span> conn-refused<\/td>.*<td>10061 WSAECONNREFUSED /,
    );
    expect(page).toContain('no <code>--allow</code> was given');
  });

  it('escapes what a browser would take for markup', () => {
    const host = `${HOSTILE}<script>alert("1")</script>'&`;
    const result = resultOf(eventOf(reportOf(closedOutcome(), { target: { host, port: 25 } })));
    const page = renderLandingPage('1', new AllowList(['*']), [
      { ...result, address: '"><img src=x>', reason: '<b>' },
    ]);
    expect(page).not.toMatch(/<script|<img|<b>/);
    expect(page.replaceAll('\n', '')).not.toMatch(HARMFUL);
  });

  it('allows a browser its own style and nothing else', () => {
    const style =
      /<style>([^]*?)<\/style>/.exec(renderLandingPage('1', new AllowList([]), []))?.[1] ?? '';
    expect(LANDING_HEADERS['Content-Security-Policy']).toContain(
      `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
    );
    expect(LANDING_HEADERS['Content-Security-Policy']).toMatch(/^default-src 'none';/);
  });
});

describe('the latest results', () => {
  it('are limited in number, newest first', () => {
    const recent = new RecentResults(3);
    const result = resultOf(eventOf(reportOf(openOutcome())));
    for (let time = 1; time <= 5; time += 1) recent.add({ ...result, time });
    expect(recent.all.map(({ time }) => time)).toEqual([5, 4, 3]);
  });
});
