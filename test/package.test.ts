import {
  chmod,
  chown,
  lstat,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { collect, type ExecResult } from './support/command.js';
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

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portping-package-'));
    const { stdout } = await run(
      ['npm', 'pack', '--ignore-scripts', '--json', '--pack-destination', folder],
      root,
    );
    packed = (JSON.parse(stdout) as [{ files: { path: string }[] }])[0].files
      .map(({ path }) => path)
      .sort();
    const [tarball = ''] = await readdir(folder);
    await writeFile(join(folder, 'package.json'), '{}');
    const { exitCode, stderr } = await run(
      ['npm', 'install', '--offline', '--no-audit', '--no-fund', `./${tarball}`],
      folder,
    );
    expect(stderr).not.toMatch(/npm error/);
    expect(exitCode).toBe(0);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('contains only the files that a user needs', () => {
    expect(packed).toEqual([
      'LICENSE',
      'README.md',
      'bin/package.json',
      'bin/portping-exporter.js',
      'bin/portping.js',
      'dist/cli.cjs',
      'dist/exporter.cjs',
      'dist/index.d.ts',
      'dist/index.js',
      'dist/start.cjs',
      'dist/sweep-worker.cjs',
      'dist/third-party-licenses.txt',
      'package.json',
    ]);
  });

  it('ignores the old code cache of a changed bundle of the same length', async () => {
    const installed = join(folder, 'node_modules', 'portping');
    const command = [process.execPath, join(installed, 'bin', 'portping.js'), '--version'];
    const bundle = join(installed, 'dist', 'cli.cjs');
    const [before, version] = [
      await readFile(bundle, 'utf8'),
      (await run(command, folder)).stdout.trim(),
    ];
    expect(
      (await readdir(join(installed, 'dist'))).filter((name) => name.endsWith('.cache')),
    ).toHaveLength(1);
    await writeFile(bundle, before.replaceAll(version, version.replaceAll(/\d/g, '7')));
    expect((await run(command, folder)).stdout).toBe(`${version.replaceAll(/\d/g, '7')}\n`);
    await writeFile(bundle, before);
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
      'ora',
      'chalk',
      'prom-client',
      '@opentelemetry/api',
      'tdigest',
      'bintrees',
    ])
      expect(texts).toMatch(new RegExp(`^${name} \\d\\S* \\((MIT|Apache-2\\.0)\\)$`, 'm'));
  });

  it('keeps a code cache next to its bundle, and ignores a broken one', async () => {
    const dist = join(folder, 'node_modules/portping/dist');
    const cache = (await readdir(dist)).find((name) => name.endsWith('.cache')) ?? '';
    expect(cache).toBe(`code-${process.version}-${process.platform}-${process.arch}.cache`);
    const whole = await readFile(join(dist, cache));
    await writeFile(join(dist, cache), 'not a cache');
    const { stdout, stderr, exitCode } = await run(
      [join(folder, 'node_modules/.bin/portping'), '--explain', '10061'],
      folder,
    );
    expect(stdout).toMatch(/^10061 WSAECONNREFUSED/);
    expect([stderr, exitCode]).toEqual(['', 0]);
    const rewritten = await readFile(join(dist, cache));
    expect(rewritten.length).toBeGreaterThan(whole.length / 2);
  });

  it.skipIf(process.platform === 'win32')(
    'leaves no partial file when the code cache cannot be written',
    async () => {
      const dist = join(folder, 'node_modules/portping/dist');
      const caches = async (): Promise<string[]> =>
        (await readdir(dist)).filter((name) => name.startsWith('code-'));
      for (const name of await caches()) await rm(join(dist, name));
      // blocks of 512 bytes: a limit below the size of the cache
      const { stdout } = await run(
        [
          'sh',
          '-c',
          'ulimit -f 100; exec "$0" --explain 10061',
          join(folder, 'node_modules/.bin/portping'),
        ],
        folder,
      );
      expect(stdout).toMatch(/^10061 WSAECONNREFUSED/);
      expect(await caches()).toEqual([]);
    },
  );

  describe.skipIf(process.platform === 'win32')('the code cache of the package', () => {
    let cache = '';
    let bundle = '';
    let version = '';
    let foreign: Buffer;
    const installedPath = (...names: string[]): string =>
      join(folder, 'node_modules/portping', ...names);
    const runVersion = async (...prefix: string[]): Promise<string> => {
      const { stdout } = await run(
        [...prefix, process.execPath, installedPath('bin/portping.js'), '--version'],
        folder,
      );
      return stdout.trim();
    };
    const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

    beforeAll(async () => {
      cache = installedPath(
        'dist',
        `code-${process.version}-${process.platform}-${process.arch}.cache`,
      );
      bundle = installedPath('dist/cli.cjs');
      await rm(cache, { force: true });
      version = await runVersion();
      const source = await readFile(bundle, 'utf8');
      // V8 accepts the code of a bundle of the same length, even of another version.
      await rm(cache);
      await writeFile(bundle, source.replaceAll(version, version.replaceAll(/\d/g, '7')));
      await runVersion();
      foreign = await readFile(cache);
      await writeFile(bundle, source);
    });
    beforeEach(() => rm(cache, { recursive: true, force: true }));

    it('is used when only the owner of the bundle can have written it', async () => {
      await writeFile(cache, foreign, { mode: 0o644 });
      expect(await runVersion()).toBe(version.replaceAll(/\d/g, '7'));
    });

    it('is writable only by its owner, even with umask 000', async () => {
      await runVersion('sh', '-c', 'umask 000; exec "$@"', 'sh');
      expect(await modeOf(cache)).toBe(0o644);
    });

    it('is readable only by its owner with umask 077', async () => {
      await runVersion('sh', '-c', 'umask 077; exec "$@"', 'sh');
      expect(await modeOf(cache)).toBe(0o600);
    });

    it.each(['666', '664', '646'])('is replaced, not used, with mode %s', async (mode) => {
      await writeFile(cache, foreign);
      await chmod(cache, Number.parseInt(mode, 8));
      expect(await runVersion()).toBe(version);
      expect(await modeOf(cache)).toBe(0o644 & ~process.umask());
      expect((await readFile(cache)).equals(foreign)).toBe(false);
    });

    it('is not used through a symbolic link', async () => {
      const elsewhere = join(folder, 'elsewhere.cache');
      await writeFile(elsewhere, foreign, { mode: 0o644 });
      await symlink(elsewhere, cache);
      expect(await runVersion()).toBe(version);
      expect((await lstat(cache)).isSymbolicLink()).toBe(false);
      expect((await readFile(elsewhere)).equals(foreign)).toBe(true);
    });

    it('does not block the start when a FIFO has its name', async () => {
      await run(['mkfifo', cache], folder);
      expect(await runVersion()).toBe(version);
      expect((await lstat(cache)).isFile()).toBe(true);
    });

    itWith('root', 'is not used when it belongs to another user than the bundle', async () => {
      await writeFile(cache, foreign, { mode: 0o644 });
      await chown(cache, 65_534, 65_534);
      expect(await runVersion()).toBe(version);
      expect((await stat(cache)).uid).toBe((await stat(bundle)).uid);
    });

    itWith('root', 'belongs to the owner of the bundle when root writes it', async () => {
      const { uid, gid } = await stat(bundle);
      onTestFinished(() => chown(bundle, uid, gid));
      await chown(bundle, 65_534, 65_534);
      await runVersion();
      const written = await stat(cache);
      await runVersion();
      expect(written).toMatchObject({ uid: 65_534, gid: 65_534 });
      expect((await stat(cache)).ino).toBe(written.ino); // used, and not written again
    });
  });

  it('is a library with types', async () => {
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
          '--lib',
          'es2022',
          '--types',
          'node',
          '--typeRoots',
          join(root, 'node_modules/@types'),
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
