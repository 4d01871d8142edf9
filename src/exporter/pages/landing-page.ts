import { createHash } from 'node:crypto';
import { DEFAULT_TIMEOUT_MS } from '../../core/limits.js';
import { SERVICE_NAMES } from '../../core/service/registry.js';
import { escapeControls, escapeMarkup } from '../../report/escape.js';
import { formatDuration } from '../../report/numbers.js';
import type { AllowList } from '../access/allow-list.js';
import type { Page, PageParts } from './page.js';
import type { Result } from './recent-results.js';
import { SharedRendering } from './shared-rendering.js';

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
body { color: #222; background: #fff; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; }
th, td { border-bottom: 1px solid #ddd; }
td.number { text-align: right; white-space: nowrap; }
.open { color: #17692f; } .other { color: #a11; }
input, select, button { font: inherit; } code { background: #f2f2f2; padding: 0 .2em; }
@media (prefers-color-scheme: dark) {
  body { color: #ddd; background: #181818; } th, td { border-color: #444; }
  .open { color: #6c6; } .other { color: #f88; } code { background: #333; }
}
`;

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** Headers of the page. A browser may apply its own style and submit its form, nothing else. */
export const LANDING_HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': [
    "default-src 'none'",
    `style-src 'sha256-${STYLE_HASH}'`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'Referrer-Policy': 'same-origin', // the form's request must say where it comes from
  'Cache-Control': 'no-store',
} as const;

const html = (text: string): string => escapeMarkup(escapeControls(text));

function renderState({ state, reason }: Result): string {
  const isGood = state === 'open' && reason === '';
  const label = `<span class="${isGood ? 'open' : 'other'}">${html(state)}</span>`;
  return reason === '' ? label : `${label} ${html(reason)}`;
}

function renderRow(result: Result): string {
  const { time, target, address, elapsedMs, explanation } = result;
  const when = new Date(time).toISOString();
  const cells = [
    `<td><time datetime="${when}">${when.slice(11, 19)}</time></td>`,
    `<td>${html(target)}</td>`,
    `<td>${html(address)}</td>`,
    `<td>${renderState(result)}</td>`,
    `<td class="number">${formatDuration(elapsedMs)}</td>`,
    `<td>${escapeMarkup(explanation)}</td>`, // its control characters are escaped already
  ];
  return `<tr>${cells.join('')}</tr>\n`;
}

const COLUMNS = ['UTC', 'Target', 'Address', 'State', 'Time', 'Why'];

function renderResults(results: readonly Result[]): string {
  if (results.length === 0) return '<p>None yet.</p>';
  const head = COLUMNS.map((name) => `<th>${name}</th>`).join('');
  return `<table>\n<tr>${head}</tr>\n${results.map(renderRow).join('')}</table>`;
}

function renderRules({ rules, isDefault }: AllowList): string {
  const note = isDefault
    ? ' (no <code>--allow</code> was given: only loopback and private addresses)'
    : '';
  return `${note}: ${rules.map((rule) => `<code>${html(rule)}</code>`).join(' ')}`;
}

const SERVICE_CHOICES = SERVICE_NAMES.map((name) => `<option>${name}</option>`).join('');

/** A form for one probe, what may be probed, and the latest results. */
export function renderLandingPage(
  version: string,
  allow: AllowList,
  results: readonly Result[],
): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>portping exporter</title><style>${STYLE}</style>
</head>
<body>
<h1>portping exporter ${html(version)}</h1>
<p>Is a TCP port open and, if it is not, whose fault is that? For Prometheus.
<a href="/metrics">Metrics of the exporter itself</a>, <a href="/-/healthy">health</a>.</p>
<form action="/probe" method="get">
<label>Target
<input name="target" placeholder="db.example.com:5432" required maxlength="300"></label>
<label>Timeout
<input name="timeout" placeholder="${DEFAULT_TIMEOUT_MS / 1000}s" size="6" maxlength="20"></label>
<label>Service
<select name="service"><option value="">none</option>${SERVICE_CHOICES}</select></label>
<label><input type="checkbox" name="all" value="true"> every address</label>
<button>Probe</button>
</form>
<p>May be probed${renderRules(allow)}</p>
<h2>Latest results</h2>
${renderResults(results)}
</body>
</html>
`;
}

/** The page for people. */
export function landingPage({ version, allow, recent }: PageParts): Page {
  const rendering = new SharedRendering(() => renderLandingPage(version, allow, recent.all));
  return {
    path: '/',
    answer: async ({ signal }) => ({
      status: 200,
      headers: LANDING_HEADERS,
      body: await rendering.get(signal),
    }),
  };
}
