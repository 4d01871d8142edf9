import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, type ExecResult } from './support/command.js';
import { listen } from './support/listeners.js';
import { itWith } from './support/tools.js';

const root = fileURLToPath(new URL('..', import.meta.url));
let folder = '';

function run(argv: string[], cwd: string): Promise<ExecResult> {
  const [file = '', ...args] = argv;
  const child = spawn(file, args, { cwd, stdio: 'pipe', detached: true });
  return collect(child, { input: '', timeoutMs: 60_000, startedAt: performance.now() });
}

describe('the packed package', () => {
  let packed: string[] = [];
  let bytes = { size: 0, unpackedSize: 0 };
  let warnings = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portping-package-'));
    const { stdout } = await run(
      ['npm', 'pack', '--ignore-scripts', '--json', '--pack-destination', folder],
      root,
    );
    const [{ files, ...sizes }] = JSON.parse(stdout) as [
      typeof bytes & { files: { path: string }[] },
    ];
    packed = files.map(({ path }) => path).sort();
    bytes = sizes;
    const [tarball = ''] = await readdir(folder);
    await writeFile(join(folder, 'package.json'), '{}');
    const { exitCode, stderr } = await run(
      ['npm', 'install', '--offline', '--no-audit', '--no-fund', `./${tarball}`],
      folder,
    );
    warnings = stderr;
    expect(exitCode, stderr).toBe(0);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('contains only the files that a user needs', () => {
    const chunks = packed.filter((path) => /^dist\/cli-[a-z-]+\.cjs$/.test(path));
    expect(chunks).not.toEqual([]);
    expect(packed).toEqual([
      'LICENSE',
      'README.md',
      'bin/package.json',
      'bin/portping-exporter.js',
      'bin/portping.js',
      ...chunks,
      'dist/cli.cjs',
      'dist/exporter-yaml.cjs',
      'dist/exporter.cjs',
      'dist/index.d.ts',
      'dist/index.js',
      'dist/password-worker.cjs',
      'dist/portping-exporter.1',
      'dist/portping.1',
      'dist/sweep-worker.cjs',
      'dist/third-party-licenses.txt',
      'package.json',
    ]);
  });

  it('is installed without a warning', () => {
    expect(warnings).toBe('');
  });

  it('takes less than 430 kB to download and 1.45 MB on the disk', () => {
    expect(bytes.size).toBeLessThan(430_000);
    expect(bytes.unpackedSize).toBeLessThan(1_450_000);
  });

  it('installs no other package', async () => {
    expect(
      (await readdir(join(folder, 'node_modules'))).filter((name) => !name.startsWith('.')),
    ).toEqual(['portping']);
  });

  it('has the command portping', async () => {
    const { stdout, exitCode } = await run(
      [join(folder, 'node_modules/.bin/portping'), '--explain', '10061'],
      folder,
    );
    expect(stdout).toMatch(/^10061 WSAECONNREFUSED/);
    expect(exitCode).toBe(0);
  });

  it('has the command portping-exporter', async () => {
    const { stdout, exitCode } = await run(
      [join(folder, 'node_modules/.bin/portping-exporter'), '--help'],
      folder,
    );
    expect(stdout).toMatch(/^Usage: portping-exporter/);
    expect(exitCode).toBe(0);
  });

  it('has the licences of all bundled packages', async () => {
    const texts = await readFile(
      join(folder, 'node_modules/portping/dist/third-party-licenses.txt'),
      'utf8',
    );
    for (const name of [
      'commander',
      'cross-spawn',
      'ora',
      'chalk',
      'prom-client',
      '@opentelemetry/api',
      'tdigest',
      'bintrees',
      'yaml',
      'bcryptjs',
    ])
      expect(texts).toMatch(
        new RegExp(`^${name} \\d\\S* \\((MIT|ISC|Apache-2\\.0|BSD-3-Clause)\\)$`, 'm'),
      );
  });

  itWith(
    'root',
    'never changes after installation, whoever runs it with whatever umask',
    async () => {
      const installed = join(folder, 'node_modules', 'portping');
      const stamp = join(folder, 'stamp');
      await writeFile(stamp, '');
      await sleep(20); // a later change has a later time
      const { port } = await listen();
      const list = join(folder, 'targets.txt');
      await writeFile(list, `127.0.0.1 ${port}\n127.0.0.1 1 closed\n`);
      const kinds = [
        `127.0.0.1 ${port}`,
        '127.0.0.1 1',
        `-v -w 2s localhost ${port}`,
        `-q 127.0.0.1 ${port}`,
        `-o json 127.0.0.1 ${port},1`,
        `-c 2 -i 1ms 127.0.0.1 ${port}`,
        `--service=banner -w 100ms 127.0.0.1 ${port}`,
        `--targets ${list} -o junit`,
        '--diagnose -w 200ms --no-companions 127.0.0.1 1',
        '--help',
      ];
      const command = join(installed, 'bin', 'portping.js');
      const runs = Array.from({ length: 10 }, () => kinds).flat();
      const script = runs.map((args) => `"$0" "$1" ${args}`).join('\n');
      await run(['sh', '-c', `umask 000\n${script}\ntrue`, process.execPath, command], folder);
      const { stdout } = await run(['find', installed, '-newer', stamp], folder);
      expect(stdout).toBe('');
      // The comparison sees a change.
      await writeFile(join(installed, 'dist', 'left-behind'), '');
      const changed = await run(['find', installed, '-newer', stamp], folder);
      await rm(join(installed, 'dist', 'left-behind'));
      expect(changed.stdout).toMatch(/left-behind/);
    },
  );

  it('asks npm to run no script when it is installed', async () => {
    const { scripts } = JSON.parse(
      await readFile(join(folder, 'node_modules/portping/package.json'), 'utf8'),
    ) as { scripts: Record<string, string> };
    // Those that npm runs, or warns about, for a package that is installed (npm help scripts).
    const run = /^(pre|post)?(install|prepare)$|^prepublish$/;
    expect(Object.keys(scripts).filter((name) => run.test(name))).toEqual([]);
  });

  // The folder has no types of Node, only those that TypeScript has of its own.
  it('is a library whose types need no other package', async () => {
    const script =
      "import { parseTarget, probePort } from 'portping';" +
      "console.log(JSON.stringify(parseTarget(['db:5432'])), typeof probePort);";
    await writeFile(
      join(folder, 'use.mts'),
      `import { probePort, type Attempt } from 'portping';
const endpoint = { address: '127.0.0.1', family: 4, port: 1 } as const;
const outcome: Attempt = await probePort(endpoint);
if (outcome.state === 'open') outcome.latencyMs.toFixed(1);
`,
    );
    const [used, typed] = await Promise.all([
      run([process.execPath, '--input-type=module', '-e', script], folder),
      run(
        [
          process.execPath,
          join(root, 'node_modules/typescript/bin/tsc'),
          '--noEmit',
          '--strict',
          '--module',
          'nodenext',
          '--target',
          'es2022',
          'use.mts',
        ],
        folder,
      ),
    ]);
    expect(used.stdout).toBe('{"host":"db","port":5432} function\n');
    expect(typed.stdout).toBe('');
    expect(typed.exitCode).toBe(0);
  });
});

describe('npm run prepublishOnly', () => {
  const complete = {
    repository: 'github:owner/portping',
    homepage: 'https://portping.example',
    bugs: 'https://portping.example/bugs',
    author: 'Owner',
  };

  /** What the script says about a package with these fields and this README, and makes of it. */
  async function check(
    fields: object,
    readme: string,
    ...words: string[]
  ): Promise<ExecResult & { readme: string }> {
    const cwd = await mkdtemp(join(tmpdir(), 'portping-publish-'));
    await writeFile(join(cwd, 'package.json'), JSON.stringify(fields));
    await writeFile(join(cwd, 'README.md'), readme);
    const result = await run([process.execPath, join(root, '.ci/publishable.mjs'), ...words], cwd);
    const after = await readFile(join(cwd, 'README.md'), 'utf8');
    await rm(cwd, { recursive: true });
    return { ...result, readme: after };
  }

  it('passes with all fields and absolute links', async () => {
    const { stderr, exitCode } = await check(complete, '[a](https://a.example), [b](#section)');
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
  });

  it.each(Object.keys(complete))('names the field %s if it is missing', async (field) => {
    const { stderr, exitCode } = await check({ ...complete, [field]: undefined }, '');
    expect(stderr).toBe(
      `Not ready to be published:\n  package.json: the field "${field}" is missing\n`,
    );
    expect(exitCode).toBe(1);
  });

  it('names each relative link of README.md, which npm could not follow', async () => {
    const readme = '![a](.assets/a.svg) [b](test/README.md) <img src="c.svg">';
    const { stderr, exitCode } = await check(complete, readme);
    expect([...stderr.matchAll(/the link (\S+) must/g)].map(([, link]) => link)).toEqual([
      '.assets/a.svg',
      'test/README.md',
      'c.svg',
    ]);
    expect(exitCode).toBe(1);
  });

  it.each([
    ['github:owner/portping', 'https://github.com/owner/portping'],
    ['git+https://github.com/owner/portping.git', 'https://github.com/owner/portping'],
    [
      { type: 'git', url: 'git@github.com:owner/portping.git' },
      'https://github.com/owner/portping',
    ],
    ['https://gitlab.com/owner/portping', 'https://gitlab.com/owner/portping/-'],
  ])('makes all links absolute for the repository %o', async (repository, files) => {
    const fields = { ...complete, repository };
    const readme = '![a](.assets/a.svg) [b](src/README.md#c) [d](#e) <https://f.example>';
    const fixed = await check(fields, readme, '--links');
    expect(fixed.readme).toBe(
      `![a](${files}/raw/HEAD/.assets/a.svg) [b](${files}/blob/HEAD/src/README.md#c) [d](#e)` +
        ' <https://f.example>',
    );
    const { stderr } = await check(fields, fixed.readme);
    expect(stderr).toBe('');
  });

  it('finds and mends the links of our README', async () => {
    const readme = await readFile(join(root, 'README.md'), 'utf8');
    const { readme: fixed } = await check(complete, readme, '--links');
    expect((await check(complete, fixed)).stderr).toBe('');
    const own = [
      ...fixed.matchAll(/\(https:\/\/github\.com\/owner\/portping\/(?:raw|blob)\/HEAD\//g),
    ];
    expect(own.length).toBeGreaterThan(10);
  });
});
