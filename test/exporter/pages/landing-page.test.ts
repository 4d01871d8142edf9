import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { AllowList } from '../../../src/exporter/access/allow-list.js';
import {
  type FormState,
  LANDING_HEADERS,
  renderLandingPage,
} from '../../../src/exporter/pages/landing-page.js';
import {
  RecentResults,
  type Result,
  resultOf,
} from '../../../src/exporter/pages/recent-results.js';
import {
  closedOutcome,
  eventOf,
  HARMFUL,
  HOSTILE,
  openOutcome,
  reportOf,
} from '../../support/reports.js';

/** A page with these results, added in this order. */
function render(results: readonly Result[], allow = new AllowList([]), form?: FormState): string {
  const recent = new RecentResults();
  for (const each of results) recent.add(each);
  return renderLandingPage({ version: '1.2.3', allow, recent }, form);
}

const [OPEN, CLOSED] = [openOutcome(), closedOutcome()].map((outcome) =>
  resultOf(eventOf(reportOf(outcome))),
) as [Result, Result];

describe('the landing page', () => {
  it('shows the latest results and why they failed', () => {
    const page = render([OPEN, CLOSED]);
    expect(page).toContain(
      '<td data-name="Target">mail.example.com:25</td><td data-name="Address">192.0.2.10</td>' +
        '<td data-name="State"><span class="open">open</span></td>' +
        '<td data-name="Time" class="number">12.3 ms</td><td data-name="Why"></td>',
    );
    expect(page).toMatch(
      /<span class="other">closed<\/span> conn-refused<\/td>.*<td data-name="Why">10061 WSAECONN/,
    );
    expect(page).toContain('no <code>--allow</code> was given');
  });

  it('shows what is wrong first', () => {
    const page = render([CLOSED, OPEN]);
    expect(page.indexOf('>closed<')).toBeLessThan(page.indexOf('>open<'));
    expect(render([OPEN, CLOSED]).indexOf('>closed<')).toBeLessThan(page.indexOf('>open<'));
  });

  it('keeps what was typed, and says at its field what is wrong', () => {
    const values = new URLSearchParams({ target: 'db:1', timeout: '"fast"', service: 'ssh' });
    const page = render([], new AllowList([]), {
      values,
      error: { field: 'timeout', message: 'timeout: "fast" is not a duration' },
    });
    expect(page).toContain('<input id="target" name="target" value="db:1"');
    expect(page).toContain(
      'aria-invalid="true" aria-describedby="timeout-error" value="&quot;fast',
    );
    expect(page).toContain('id="timeout-error">timeout: &quot;fast&quot; is not a duration</span>');
    expect(page).toContain('<option selected>ssh</option>');
    expect(page.match(/aria-invalid/g)).toHaveLength(1);
  });

  it('escapes what a browser would take for markup', () => {
    const host = `${HOSTILE}<script>alert("1")</script>'&`;
    const result = resultOf(eventOf(reportOf(closedOutcome(), { target: { host, port: 25 } })));
    const bad = { ...result, address: '"><img src=x>', reason: '<b>' };
    const page = render([bad], new AllowList(['*']), {
      values: new URLSearchParams({ target: host, timeout: '"><img>' }),
      error: { field: 'target', message: host },
      course: '<b>',
    });
    expect(page).not.toMatch(/<script|<img|<b>/);
    expect(page.replaceAll('\n', '')).not.toMatch(HARMFUL);
  });

  it('allows a browser its own style and nothing else', () => {
    const style = /<style>([^]*?)<\/style>/.exec(render([]))?.[1] ?? '';
    expect(LANDING_HEADERS['Content-Security-Policy']).toContain(
      `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
    );
    expect(LANDING_HEADERS['Content-Security-Policy']).toMatch(/^default-src 'none';/);
  });
});

describe('the latest results', () => {
  it('are limited in number, newest first', () => {
    const recent = new RecentResults(3);
    for (let time = 1; time <= 5; time += 1) recent.add({ ...OPEN, time });
    expect(recent.all.map(({ time }) => time)).toEqual([5, 4, 3]);
  });

  it('keep a failure while many others succeed', () => {
    const recent = new RecentResults(3);
    recent.add({ ...CLOSED, time: 1 });
    for (let time = 2; time <= 9; time += 1) recent.add({ ...OPEN, time });
    expect(recent.all.map(({ time }) => time)).toEqual([1, 9, 8, 7]);
    for (let time = 10; time <= 13; time += 1) recent.add({ ...CLOSED, time });
    expect(recent.all.map(({ time }) => time)).toEqual([13, 12, 11, 9, 8, 7]);
  });
});
