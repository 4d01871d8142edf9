import { createHash } from 'node:crypto';
import { DEFAULT_TIMEOUT_MS } from '../../core/limits.js';
import { SERVICE_NAMES } from '../../core/service/registry.js';
import { escapeControls, escapeMarkup } from '../../report/escape.js';
import { formatDuration } from '../../report/numbers.js';
import type { AllowList } from '../access/allow-list.js';
import type { Page, PageParts } from './page.js';
import { isGood, type Result } from './recent-results.js';
import { SharedRendering } from './shared-rendering.js';

const STYLE = `
:root { color-scheme: light dark; --line: #bbb; --good: #17692f; --bad: #a11; --code: #f2f2f2; }
:root { --link: #0645ad; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
body { color: #222; background: #fff; overflow-wrap: anywhere; }
a { color: var(--link); }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; }
th, td { border-bottom: 1px solid var(--line); }
td.number { white-space: nowrap; }
.open { color: var(--good); } .other { color: var(--bad); font-weight: bold; }
input, select, button { font: inherit; max-width: 100%; box-sizing: border-box; }
form > div { display: inline-block; vertical-align: top; margin: 0 1rem .5rem 0; max-width: 100%; }
code, pre { background: var(--code); padding: 0 .2em; } pre { white-space: pre-wrap; }
@media (prefers-color-scheme: dark) {
  :root { --line: #555; --good: #6c6; --bad: #f88; --code: #333; --link: #8ab4f8; }
  body { color: #ddd; background: #181818; }
}
@media (max-width: 45rem) {
  table, tbody, tr, td { display: block; } thead { display: none; }
  td { border: 0; padding: 0; } tr { border-bottom: 1px solid var(--line); padding: .5rem 0; }
  td[data-name]::before { content: attr(data-name) ": "; font-weight: bold; }
  td:empty { display: none; }
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

function renderState(result: Result): string {
  const { state, reason } = result;
  const label = `<span class="${isGood(result) ? 'open' : 'other'}">${html(state)}</span>`;
  return reason === '' ? label : `${label} ${html(reason)}`;
}

const COLUMNS = ['UTC', 'Target', 'Address', 'State', 'Time', 'Why'] as const;

function renderRow(result: Result): string {
  const { time, target, address, elapsedMs, explanation } = result;
  const when = new Date(time).toISOString();
  const cells: Readonly<Record<(typeof COLUMNS)[number], string>> = {
    UTC: `<time datetime="${when}">${when.slice(11, 19)}</time>`,
    Target: html(target),
    Address: html(address),
    State: renderState(result),
    Time: formatDuration(elapsedMs),
    Why: escapeMarkup(explanation), // its control characters are escaped already
  };
  const tags = COLUMNS.map(
    (name) =>
      `<td data-name="${name}"${name === 'Time' ? ' class="number"' : ''}>${cells[name]}</td>`,
  );
  return `<tr>${tags.join('')}</tr>\n`;
}

function renderResults(results: readonly Result[]): string {
  if (results.length === 0) return '<p>None yet.</p>';
  const head = COLUMNS.map((name) => `<th scope="col">${name}</th>`).join('');
  return `<table>
<thead><tr>${head}</tr></thead>
<tbody>
${results.map(renderRow).join('')}</tbody></table>`;
}

function renderRules({ rules, isDefault }: AllowList): string {
  const note = isDefault
    ? ' (no <code>--allow</code> was given: only loopback and private addresses)'
    : '';
  return `${note}: ${rules.map((rule) => `<code>${html(rule)}</code>`).join(' ')}`;
}

/** What the form shows: the values that were sent, and what came of them. */
export interface FormState {
  readonly values: URLSearchParams;
  /** The field that is wrong, and why. */
  readonly error?: { readonly field: string; readonly message: string };
  /** The course of the probe, in lines. */
  readonly course?: string;
}

function renderForm({ values, error }: FormState): string {
  const given = (name: string): string => html(values.get(name) ?? '');
  const field = (name: string, label: string, control: (attributes: string) => string): string => {
    const wrong = error?.field === name ? error.message : null;
    const state = wrong === null ? '' : ` aria-invalid="true" aria-describedby="${name}-error"`;
    const why =
      wrong === null ? '' : `<br><span class="other" id="${name}-error">${html(wrong)}</span>`;
    return `<div><label for="${name}">${label}</label>
${control(`id="${name}" name="${name}"${state}`)}${why}</div>`;
  };
  const services = SERVICE_NAMES.map(
    (name) => `<option${values.get('service') === name ? ' selected' : ''}>${name}</option>`,
  ).join('');
  return `<form action="/try" method="get">
${field(
  'target',
  'Target',
  (attributes) =>
    `<input ${attributes} value="${given('target')}" required maxlength="300" ` +
    'placeholder="db.example.com:5432">',
)}
${field(
  'timeout',
  'Timeout',
  (attributes) =>
    `<input ${attributes} value="${given('timeout')}" size="6" maxlength="20" ` +
    `placeholder="${DEFAULT_TIMEOUT_MS / 1000}s">`,
)}
${field(
  'service',
  'Service',
  (attributes) => `<select ${attributes}><option value="">none</option>${services}</select>`,
)}
<div><label><input type="checkbox" name="all" value="true"${values.get('all') ? ' checked' : ''}>
every address</label> <button>Probe</button></div>
</form>`;
}

const EMPTY_FORM: FormState = { values: new URLSearchParams() };

/** A form for one probe, what may be probed, and the latest results: what is wrong first. */
export function renderLandingPage(
  { version, allow, recent }: Pick<PageParts, 'version' | 'allow' | 'recent'>,
  form = EMPTY_FORM,
): string {
  const { course } = form;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>portping exporter</title><style>${STYLE}</style>
</head>
<body>
<main>
<h1>portping exporter ${html(version)}</h1>
<p>Is a TCP port open and, if it is not, whose fault is that? For Prometheus.
<a href="/metrics">Metrics of the exporter itself</a>, <a href="/config">modules</a>,
<a href="/-/healthy">health</a>.</p>
${renderForm(form)}
${course === undefined ? '' : `<h2>Probe</h2>\n<pre tabindex="0">${escapeMarkup(course)}</pre>\n`}
<p>May be probed${renderRules(allow)}</p>
<h2>Latest results</h2>
${renderResults(recent.all)}
</main>
</body>
</html>
`;
}

/** The page for people. */
export function landingPage(parts: PageParts): Page {
  const rendering = new SharedRendering(() => renderLandingPage(parts));
  return {
    path: '/',
    answer: async ({ signal }) => ({
      status: 200,
      headers: LANDING_HEADERS,
      body: await rendering.get(signal),
    }),
  };
}
