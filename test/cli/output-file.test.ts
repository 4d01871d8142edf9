import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FORMAT_NAMES } from '../../src/report/formats/registry.js';
import { environment } from '../support/command.js';
import { ownLoopback, silentPort } from '../support/listeners.js';
import { portping, portpingAsNobody, portpingCommand } from '../support/portping.js';
import { itWith } from '../support/tools.js';

/** An address to which no other test connects: connections are counted. */
const HOST = ownLoopback();

let server: Server;
let port = '';
let root = '';
let folder = '';

beforeAll(async () => {
  server = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, HOST);
  await once(server, 'listening');
  port = String((server.address() as { port: number }).port);
  root = await mkdtemp(join(tmpdir(), 'portping-file-'));
});
beforeEach(async () => {
  folder = await mkdtemp(join(root, 'test-'));
});
afterAll(async () => {
  server.close();
  await rm(root, { recursive: true, force: true });
});

describe('--output-file', () => {
  it.each(FORMAT_NAMES)(
    'receives exactly what stdout would show in the format %s',
    async (format) => {
      const path = join(folder, 'result');
      const measured =
        /[\d.]+(?= milliseconds)|\d+\.\d+|"\w*(?:Ms|time|port)":[^,}]*|\d{4}-[\dT:.-]+Z?/g;
      const [shown, filed] = [
        await portping(['-o', format, HOST, port]),
        await portping(['-o', format, '--output-file', path, HOST, port]),
      ];
      expect([filed.stdout, filed.stderr, filed.exitCode]).toEqual(['', shown.stderr, 0]);
      const text = await readFile(path, 'utf8');
      expect(text.replace(measured, '#')).toBe(shown.stdout.replace(measured, '#'));
      expect(text === '').toBe(format === 'github'); // all is as expected: no annotation
      expect(await readdir(folder)).toEqual(['result']);
    },
  );

  it('receives a diagnosis with --report', async () => {
    const path = join(folder, 'ticket.md');
    const { stdout, exitCode } = await portping(
      ['--report', '-w', '1s', '--output-file', path, HOST, port],
      { env: { FORCE_COLOR: '1' } },
    );
    expect([stdout, exitCode]).toEqual(['', 0]);
    expect(await readFile(path, 'utf8')).toMatch(/127\.0\.0\.1/);
  });

  it('contains no colours', async () => {
    const path = join(folder, 'result');
    await portping(['--output-file', path, HOST, port], { env: { FORCE_COLOR: '1' } });
    expect(await readFile(path, 'utf8')).toMatch(
      /^Success! Pinged port \d+ in [\d.]+ milliseconds\.\n$/,
    );
  });

  it('is not written by an interrupted series, which exits with 130', async () => {
    const path = join(folder, 'result');
    const [command = '', ...args] = portpingCommand;
    const child = spawn(
      command,
      [...args, '-c', '1000', '-i', '10ms', '-o', 'csv', '--output-file', path, HOST, port],
      { env: environment, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    // The temporary file exists before the first probe and gets one line per probe.
    const written = async (): Promise<number> =>
      (
        await Promise.all(
          (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size),
        )
      ).reduce((sum, size) => sum + size, 0);
    await expect.poll(written, { timeout: 15_000 }).toBeGreaterThan(300);
    child.kill('SIGTERM');
    const [exitCode] = (await once(child, 'close')) as [number | null];
    expect([exitCode, await readdir(folder)]).toEqual([130, []]);
    expect(stderr).toContain(`${path} was left as it was.`);
  });

  describe.runIf(process.platform === 'linux')(
    'is refused when its path leads to a device or a redirection',
    () => {
      const appendTo = (log: string) => ({
        wrapper: ['sh', '-c', 'log=$0; exec "$@" >> "$log"', log],
      });
      const advice = 'where no file is replaced; leave the option out to write to standard output';
      const run = (path: string, options = {}) =>
        portping(['--output-file', path, HOST, port], options);

      it.each([
        ['/dev/stdout', 'is under /dev'],
        ['/dev/fd/1', 'is under /dev'],
        ['/proc/self/fd/1', 'is under /proc'],
        ['/dev/../dev/./stdout', 'leads to /dev/stdout, under /dev'],
        ['/dev/stderr', 'is under /dev'],
        ['/dev/nothing-has-this-name', 'is under /dev'],
        ['link', 'leads to /dev/stdout, under /dev'],
        ['link-to-link', 'leads to /dev/stdout, under /dev'],
        ['folder/stdout', 'leads to /dev/stdout, under /dev'],
        ['folder/../dev/stdout', 'leads to /dev/stdout, under /dev'],
        ['folder/fd/1', 'leads to /proc/<pid>/fd/1, under /proc'],
      ])('%s keeps the content of the log', async (name, message) => {
        const log = join(folder, 'log');
        await writeFile(log, 'old\n');
        await symlink('/dev/stdout', join(folder, 'link'));
        await symlink('link', join(folder, 'link-to-link'));
        await symlink('/dev', join(folder, 'folder'));
        const path = name.startsWith('/') ? name : `${folder}/${name}`;
        const { stderr, exitCode } = await run(path, appendTo(log));
        const refusal = `--output-file: ${path} ${message}, ${advice}`;
        expect(stderr.replace(/\/proc\/\d+/, '/proc/<pid>')).toBe(
          `portping: ${refusal} (see: portping -h)\n`,
        );
        expect(exitCode).toBe(64);
        expect(await readFile(log, 'utf8')).toBe('old\n');
      });

      it('a pipe named /dev/stdout gets the same error', async () => {
        const { stdout, stderr, exitCode } = await run('/dev/stdout');
        expect(stderr).toContain(`portping: --output-file: /dev/stdout is under /dev, ${advice}`);
        expect([stdout, exitCode]).toEqual(['', 64]);
      });

      it('a run without the option appends to the log, as the error advises', async () => {
        const log = join(folder, 'log');
        await writeFile(log, 'old\n');
        await portping([HOST, port], appendTo(log));
        expect(await readFile(log, 'utf8')).toMatch(/^old\nSuccess! .*\n$/);
      });

      it('/dev/null is refused, and the error names the redirection that works', async () => {
        const { stderr, exitCode } = await run('/dev/null');
        expect(stderr).toContain(
          'is under /dev, where no file is replaced; write > /dev/null instead (',
        );
        expect(exitCode).toBe(64);
      });

      itWith('shared memory', 'an ordinary file in /dev/shm is written', async () => {
        const path = await mkdtemp('/dev/shm/portping-');
        const { exitCode, stderr } = await run(join(path, 'result'));
        const text = await readFile(join(path, 'result'), 'utf8').catch(String);
        await rm(path, { recursive: true });
        expect([stderr, exitCode]).toEqual(['', 0]);
        expect(text).toMatch(/^Success/);
      });
    },
  );

  it('is refused when it would replace a named pipe', async () => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const { stdout, stderr, exitCode } = await portping(['--output-file', path, HOST, port]);
    expect(stderr).toContain(`--output-file: ${path} is not a regular file and is not replaced`);
    expect([stdout, exitCode]).toEqual(['', 64]);
    expect((await lstat(path)).isFIFO()).toBe(true);
  });

  const withUmask = { wrapper: ['sh', '-c', 'umask 027; exec "$0" "$@"'] };

  it('replaces a file and keeps its mode and the links to it', async () => {
    const path = join(folder, 'result');
    await writeFile(path, 'old');
    await symlink(path, join(folder, 'link'));
    for (const mode of [0o600, 0o664]) {
      await chmod(path, mode);
      await portping(['--output-file', join(folder, 'link'), HOST, port], withUmask);
      expect(await readFile(path, 'utf8')).toMatch(/^Success/);
      expect((await stat(path)).mode & 0o777).toBe(mode);
    }
    expect((await lstat(join(folder, 'link'))).isSymbolicLink()).toBe(true);
    expect((await readdir(folder)).sort()).toEqual(['link', 'result']);
  });

  itWith('root', 'keeps the owner and the group of the file', async () => {
    const path = join(folder, 'result');
    await writeFile(path, 'old');
    await chmod(path, 0o640);
    await chown(path, 12_345, 23_456);
    await portping(['--output-file', path, HOST, port]);
    expect(await readFile(path, 'utf8')).toMatch(/^Success/);
    const { uid, gid, mode } = await stat(path);
    expect([uid, gid, mode & 0o777]).toEqual([12_345, 23_456, 0o640]);
  });

  it('is created with the mode of a new file, also at the end of dangling links', async () => {
    await mkdir(join(folder, 'elsewhere'));
    await symlink('elsewhere/second', join(folder, 'first'));
    await symlink('result', join(folder, 'elsewhere', 'second'));
    await portping(['--output-file', join(folder, 'first'), HOST, port], withUmask);
    expect(await readFile(join(folder, 'elsewhere', 'result'), 'utf8')).toMatch(/^Success/);
    expect((await stat(join(folder, 'elsewhere', 'result'))).mode & 0o777).toBe(0o640);
    expect((await lstat(join(folder, 'first'))).isSymbolicLink()).toBe(true);
  });

  it('keeps the result beside a file that cannot be replaced', async () => {
    const path = join(folder, 'result');
    // The file becomes a folder while the probe is under way.
    const obstacle = createServer((socket) => {
      void mkdir(path).then(() => socket.on('error', () => {}).end('hello\r\n'));
    });
    await once(obstacle.listen(0, HOST), 'listening');
    const { port: late } = obstacle.address() as { port: number };
    const { stderr, exitCode } = await portping([
      '--service=banner',
      '--output-file',
      path,
      HOST,
      String(late),
    ]);
    obstacle.close();
    expect(stderr).toContain(
      `portping: --output-file: ${path} cannot be replaced ` +
        `(EISDIR, illegal operation on a directory); the result is in ${path}.portping (`,
    );
    expect(exitCode).toBe(64);
    expect(await readFile(`${path}.portping`, 'utf8')).toMatch(/^Success/);
    expect((await readdir(folder)).sort()).toEqual(['result', 'result.portping']);
  });

  it('may have a name of 255 characters', async () => {
    const path = join(folder, 'x'.repeat(255));
    const { exitCode, stderr } = await portping(['--output-file', path, HOST, port]);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(await readFile(path, 'utf8')).toMatch(/^Success/);
  });

  it('is written when the port is not open', async () => {
    const path = join(folder, 'result');
    const { exitCode } = await portping([
      '-w',
      '300ms',
      '-o',
      'csv',
      '--output-file',
      path,
      HOST,
      String(await silentPort(HOST)),
    ]);
    expect(exitCode).toBe(2);
    expect(await readFile(path, 'utf8')).toMatch(/filtered,no-response/);
  });

  it('is refused before the first probe when it cannot be written', async () => {
    let connections = 0;
    server.on('connection', () => {
      connections += 1;
    });
    await mkdir(join(folder, 'directory'));
    await symlink(join(folder, 'nowhere', 'result'), join(folder, 'dangling'));
    await symlink('circle', join(folder, 'circle'));
    for (const [path, message] of [
      [
        join(folder, 'missing', 'result'),
        `the directory ${join(folder, 'missing')} does not exist; create it first`,
      ],
      [join(folder, 'directory'), 'is a directory; use another path, such as results.txt'],
      [`${join(folder, 'directory')}/`, 'is not a file name; use another path'],
      [`${join(folder, 'missing')}/`, 'is not a file name; use another path'],
      [
        join(folder, 'dangling'),
        `the directory ${join(folder, 'nowhere')} does not exist; create it first`,
      ],
      [join(folder, 'circle'), 'cannot be written (ELOOP, too many symbolic links encountered); '],
      ['/dev/null', 'is under /dev'],
      ['', '"" is not a file name; use another path, such as results.txt'],
      ['-', '"-" is not a file name; leave the option out to write to standard output'],
    ] as const) {
      const { stdout, stderr, exitCode } = await portping(['--output-file', path, HOST, port]);
      expect([stdout, exitCode]).toEqual(['', 64]);
      expect(stderr).toContain(`portping: --output-file: `);
      expect(stderr).toContain(message);
    }
    expect(connections).toBe(0);
    expect((await lstat('/dev/null')).isCharacterDevice()).toBe(true);
  });

  const isRoot = process.getuid?.() === 0; // root can write to every folder
  itWith(isRoot ? ['nobody'] : [], 'is refused when the folder is read-only', async () => {
    await chmod(folder, 0o555);
    const { exitCode, stderr } = await (isRoot ? portpingAsNobody : portping)([
      '--output-file',
      join(folder, 'result'),
      HOST,
      port,
    ]);
    expect([exitCode, stderr]).toEqual([64, expect.stringContaining('EACCES')]);
    await chmod(folder, 0o700);
  });

  it('keeps the old file and leaves no temporary file when the disk is full', async () => {
    const path = join(folder, 'result');
    await writeFile(path, 'old');
    // A limit on the file size stands in for a full disk: the write fails (EFBIG).
    const { exitCode, stderr } = await portping(
      ['-o', 'json', '-c', '20', '-i', '0', '--output-file', path, HOST, port],
      { wrapper: ['bash', '-c', 'trap "" XFSZ; ulimit -f 4; exec "$0" "$@"'] },
    );
    expect([exitCode, stderr]).toEqual([
      64,
      expect.stringContaining('cannot be written (EFBIG, file too large)'),
    ]);
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['result']);
  });

  it.each([
    ['SIGINT', 1],
    ['SIGTERM', 2],
    ['SIGHUP', 1],
  ] as const)('keeps the old file when %s ends the run', async (signal, times) => {
    const path = join(folder, 'result');
    await writeFile(path, 'old');
    const [file = '', ...args] = [
      ...portpingCommand,
      '-o',
      'json',
      '-c',
      '1000',
      '-i',
      '100ms',
      '--output-file',
      path,
      HOST,
      port,
    ];
    const child = spawn(file, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const temporary = async (): Promise<string | undefined> =>
      (await readdir(folder)).find((name) => name.endsWith('.tmp'));
    await expect
      .poll(
        async () =>
          (await stat(join(folder, (await temporary()) ?? 'none')).catch(() => null))?.size ?? 0,
        { timeout: 10_000 },
      )
      .toBeGreaterThan(0);
    for (let time = 0; time < times; time += 1) child.kill(signal);
    await once(child, 'close');
    if (times === 1) expect(stderr).toContain('was left as it was');
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['result']);
  });

  it.each([
    [['-q'], '--output-file: cannot be combined with --quiet'],
    [['-t'], '--continuous has no end'],
    [['--wait', '1s'], 'cannot be combined with a command', ['--', 'true']],
    [
      ['--explain'],
      '--output-file: cannot be combined with --explain; allowed with it: --no-color',
    ],
  ])('is refused with %j', async (options, message, command = []) => {
    const { stdout, stderr, exitCode } = await portping([
      ...options,
      '--output-file',
      join(folder, 'x'),
      HOST,
      port,
      ...command,
    ]);
    expect([stdout, exitCode]).toEqual(['', 64]);
    expect(stderr).toContain(message);
    expect(await readdir(folder)).toEqual([]);
  });
});
