// Stops `npm publish` while something is missing that only the owner of the project can give.
// npm shows README.md, but not the files beside it: `node .ci/publishable.mjs --links` makes its
// links absolute, by the field "repository".
import { readFileSync, writeFileSync } from 'node:fs';

const pkg = JSON.parse(readFileSync('package.json', 'utf8'));
const readme = readFileSync('README.md', 'utf8');

/** What is before a target in Markdown or HTML, and the target. */
const LINK = /(!?\[[^\]]*\]\(|\b(?:src|href)=")([^)\s"]+)/g;
const isAbsolute = (target) => /^(https:|mailto:|#)/.test(target);

/** README.md with absolute links. The field is as npm has it: `github:owner/name` or a URL. */
function linkAbsolutely() {
  const repository = pkg.repository?.url ?? pkg.repository ?? '';
  const form = /\b(github|gitlab)(?:\.com)?[/:]([\w.-]+\/[\w.-]+?)(?:\.git)?$/;
  const [, host, name] = form.exec(repository) ?? [];
  if (host === undefined) throw new Error(`"repository" is neither on GitHub nor on GitLab`);
  const files = `https://${host}.com/${name}${host === 'gitlab' ? '/-' : ''}`;
  return readme.replace(LINK, (link, before, target) => {
    const kind = /^(!|src)/.test(before) ? 'raw' : 'blob';
    return isAbsolute(target) ? link : `${before}${files}/${kind}/HEAD/${target}`;
  });
}

const fields = ['repository', 'homepage', 'bugs', 'author'].filter((field) => !pkg[field]);
const links = [...readme.matchAll(LINK)]
  .map(([, , target]) => target)
  .filter((l) => !isAbsolute(l));

const missing = [
  ...fields.map((field) => `package.json: the field "${field}" is missing`),
  ...links.map((link) => `README.md: the link ${link} must begin with https:`),
  ...(links.length > 0 ? ['Set "repository", then: node .ci/publishable.mjs --links'] : []),
];
if (process.argv.includes('--links')) writeFileSync('README.md', linkAbsolutely());
else if (missing.length > 0) {
  process.stderr.write(`${['Not ready to be published:', ...missing].join('\n  ')}\n`);
  process.exitCode = 1;
}
