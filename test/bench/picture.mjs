// Renders a real run of the built command as the SVG in README.md:
// `node test/bench/picture.mjs > .assets/terminal.svg`
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

const bin = fileURLToPath(new URL('../../bin/portping.js', import.meta.url));
const colours = { 2: 'opacity=".65"', 31: 'fill="#ff7b72"', 32: 'fill="#7ee787"' };

// A listener in a thread of its own, because spawnSync blocks this one.
const listener = new Worker(
  `const { parentPort } = require('node:worker_threads');
  const server = require('node:net').createServer((socket) => socket.resume());
  server.listen(2525, '127.0.0.1', () => parentPort.postMessage('ready'));`,
  { eval: true },
);
await new Promise((resolve) => listener.once('message', resolve));
const closed = await new Promise((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

const runs = [
  ['localhost', '2525', '-4'],
  ['-v', '-4', 'localhost', '2525'],
  ['127.0.0.1', String(closed)],
  ['--explain', '10060'],
  ['127.1', '25'],
];
const lines = [];
const env = { ...process.env, FORCE_COLOR: '1' };
delete env.NODE_EXTRA_CA_CERTS;
for (const args of runs) {
  const {
    output: [, stdout, stderr],
    status,
  } = spawnSync('sh', ['-c', 'exec "$@" 2>&1', 'sh', process.execPath, bin, ...args], {
    encoding: 'utf8',
    env,
  });
  lines.push(
    `\x1b[32m$\x1b[39m portping ${args.join(' ')}`,
    ...`${stdout}${stderr}`.trimEnd().split('\n'),
    `\x1b[2m(exit code ${status})\x1b[22m`,
    '',
  );
}
await listener.terminate();

const escape = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
const wrap = (line, width) =>
  line.match(new RegExp(`(?:\\x1b\\[\\d+m|[^\\x1b]){1,${width}}(?:\\s|$)|\\S+`, 'g')) ?? [''];
const rows = lines.flatMap((line) => (line === '' ? [''] : wrap(line, 108)));
let style = '';
const spans = rows.map((row, index) => {
  const parts = row.split(/\x1b\[(\d+)m/);
  const text = parts.map((part, position) => {
    if (position % 2 === 1) {
      style = colours[part] ?? '';
      return '';
    }
    return part === ''
      ? ''
      : style === ''
        ? escape(part)
        : `<tspan ${style}>${escape(part)}</tspan>`;
  });
  return `<text x="16" y="${28 + index * 18}" xml:space="preserve">${text.join('')}</text>`;
});
const height = 28 + rows.length * 18;
const size = `width="920" height="${height}"`;
const fonts = 'ui-monospace,SFMono-Regular,Menlo,Consolas,monospace';
process.stdout.write(
  `<svg xmlns="http://www.w3.org/2000/svg" ${size} viewBox="0 0 920 ${height}"` +
    ' role="img" aria-label="portping in a terminal">\n' +
    `<rect ${size} rx="8" fill="#0d1117"/>` +
    `<g font-family="${fonts}" font-size="13.5" fill="#e6edf3">\n` +
    `${spans.join('\n')}\n</g></svg>\n`,
);
