import { createHash } from 'node:crypto';
import { SERVICE_NAMES } from '../../core/service/registry.js';
import { escapeControls, escapeMarkup } from '../../report/escape.js';
import { formatDuration } from '../../report/numbers.js';
import type { AllowList } from '../access/allow-list.js';
import type { Result } from './recent-results.js';

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #222; background: #fff; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #ddd; }
td.number { text-align: right; white-space: nowrap; }
.open { color: #17692f; } .other { color: #a11; }
input, select, button { font: inherit; } code { background: #f2f2f2; padding: 0 .2em; }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818; } th, td { border-color: #444; } .open { color: #6c6; } .other { color: #f88; } code { background: #333; } }
`;

/** What a browser may do with the page: nothing but show it and send the form here. */
export const LANDING_HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
} as const;

/** Any text for HTML. */
const html = (text: string): string => escapeMarkup(escapeControls(text));

function row({ time, target, address, state, reason, elapsedMs, explanation }: Result): string {
  const seen = `<span class="${state === 'open' && reason === '' ? 'open' : 'other'}">${html(state)}</span>${reason === '' ? '' : ` ${html(reason)}`}`;
  const when = new Date(time).toISOString();
  return `<tr><td><time datetime="${when}">${when.slice(11, 19)}</time></td><td>${html(target)}</td><td>${html(address)}</td><td>${seen}</td><td class="number">${formatDuration(elapsedMs)}</td><td>${escapeMarkup(explanation)}</td></tr>\n`;
}

/** The page for people: what this is, a form for one probe, what is allowed, and the latest results with why they failed. */
export function landingPage(
  version: string,
  { rules, isDefault }: AllowList,
  results: readonly Result[],
): string {
  const latest =
    results.length === 0
      ? '<p>None yet.</p>'
      : `<table>\n<tr><th>UTC</th><th>Target</th><th>Address</th><th>Seen</th><th>Time</th><th>Why</th></tr>\n${results.map(row).join('')}</table>`;
  return `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>portping exporter</title><style>${STYLE}</style></head>
<body>
<h1>portping exporter ${html(version)}</h1>
<p>Is a TCP port open and, if it is not, whose fault is that? For Prometheus. <a href="/metrics">Metrics of the exporter itself</a>, <a href="/-/healthy">health</a>.</p>
<form action="/probe" method="get">
<label>Target <input name="target" placeholder="db.example.com:5432" required maxlength="300"></label>
<label>Timeout <input name="timeout" placeholder="5s" size="6" maxlength="20"></label>
<label>Service <select name="service"><option value="">not asked</option>${SERVICE_NAMES.map((name) => `<option>${name}</option>`).join('')}</select></label>
<label><input type="checkbox" name="all" value="true"> every address</label>
<button>Probe</button>
</form>
<p>Allowed to probe${isDefault ? ' (no <code>--allow</code> was given: only loopback and private addresses)' : ''}: ${rules.map((rule) => `<code>${html(rule)}</code>`).join(' ')}</p>
<h2>Latest results</h2>
${latest}
</body>
</html>
`;
}
