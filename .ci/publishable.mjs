// Stops `npm publish` while something is missing that only the owner of the project can give.
import { readFileSync } from 'node:fs';

const pkg = JSON.parse(readFileSync('package.json', 'utf8'));
const readme = readFileSync('README.md', 'utf8');

const fields = ['repository', 'homepage', 'bugs', 'author'].filter((field) => !pkg[field]);
// npm shows README.md, but not the files beside it.
const links = [...readme.matchAll(/\]\(([^)\s]+)/g), ...readme.matchAll(/\b(?:src|href)="([^"]+)/g)]
  .map(([, link]) => link)
  .filter((link) => !/^(https:|mailto:|#)/.test(link));

const missing = [
  ...fields.map((field) => `package.json: the field "${field}" is missing`),
  ...links.map((link) => `README.md: the link ${link} must begin with https:`),
];
if (missing.length > 0) {
  process.stderr.write(`${['Not ready to be published:', ...missing].join('\n  ')}\n`);
  process.exitCode = 1;
}
