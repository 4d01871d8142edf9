import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { freePort, listen } from '../support/listeners.js';
import { portping, portpingCommand, testNode } from '../support/portping.js';

const recorder = fileURLToPath(new URL('../support/loaded-modules.cjs', import.meta.url));
const [, command = ''] = portpingCommand;

interface Loaded {
  /** Node's own modules, beyond those that every process has. */
  readonly builtins: readonly string[];
  /** Our files. */
  readonly files: readonly string[];
}

/** What a run of the command loads. */
async function loadedBy(args: string, env: Record<string, string> = {}): Promise<Loaded> {
  const { stderr } = await portping(args.split(' '), {
    env,
    command: [testNode, '--require', recorder, command],
  });
  return JSON.parse(stderr.split('\n').at(-1) ?? '') as Loaded;
}

/** Public modules of Node that a plain probe needs; the rest is what these load themselves. */
const NEEDED = ['diagnostics_channel', 'net', 'os', 'stream', 'stream/promises', 'string_decoder'];

const isPublic = (name: string): boolean => !name.startsWith('internal/');

describe('a plain probe', () => {
  it.each(['open', 'closed'])('loads one file of ours if the port is %s', async (state) => {
    const port = state === 'open' ? (await listen()).port : await freePort();
    expect((await loadedBy(`127.0.0.1 ${port}`)).files).toEqual(['cli.cjs']);
  });

  it.each(['open', 'closed'])(
    "loads only those of Node's modules that a connection needs if the port is %s",
    async (state) => {
      const port = state === 'open' ? (await listen()).port : await freePort();
      const { builtins } = await loadedBy(`127.0.0.1 ${port}`);
      expect(builtins).toContain('net');
      expect(builtins.filter((name) => isPublic(name) && !NEEDED.includes(name))).toEqual([]);
    },
  );

  it('loads a file without characters that would make V8 store it in two bytes each', async () => {
    const bundle = join(command, '..', '..', 'dist', 'cli.cjs');
    expect(/[^\x00-\x7f]/.exec(await readFile(bundle, 'utf8'))).toBeNull();
  });
});

describe('probes of several addresses', () => {
  it.each(['127.0.0.1 1,2', '127.0.0.1:1 127.0.0.2:1'])('%s load no resolver', async (args) => {
    const { builtins } = await loadedBy(args);
    expect(builtins.filter((name) => isPublic(name) && !NEEDED.includes(name))).toEqual([]);
  });
});

describe('a probe with common options', () => {
  it.each(['-w 2s', '-q', '--no-color -w 2s'])('%s loads one file of ours', async (options) => {
    expect((await loadedBy(`${options} 127.0.0.1 1`)).files).toEqual(['cli.cjs']);
  });

  it.each(['-v', '-o json'])(
    '%s loads neither commander nor the rules of options',
    async (options) => {
      const { files } = await loadedBy(`${options} 127.0.0.1 1`);
      expect(files).not.toContain('cli-commander.cjs');
      expect(files).not.toContain('cli-options.cjs');
    },
  );

  it.each([
    { PORTPING_TIMEOUT: '2s' },
    { PORTPING_OUTPUT: 'json' },
    { PORTPING_TIMEOUT: '2s', PORTPING_OUTPUT: 'csv' },
  ])('%j in the environment load neither', async (env) => {
    const { files } = await loadedBy('127.0.0.1 1', env);
    const unneeded = /commander|options/;
    expect(files.filter((file) => unneeded.test(file))).toEqual([]);
  });

  it.each(['-4', '-c 1', '-q -v', '-o nagios'])('%s loads the rules', async (options) => {
    expect((await loadedBy(`${options} 127.0.0.1 1`)).files).toContain('cli-options.cjs');
  });
});

describe('a probe of a few addresses', () => {
  it.each(['127.0.0.1:1 127.0.0.1:2', '127.0.0.1:1 [::1]:2'])(
    '%s loads a file more, and the runtime of the bundler',
    async (args) => {
      const { files: plain } = await loadedBy('127.0.0.1 1');
      expect(new Set((await loadedBy(args)).files)).toEqual(
        new Set([...plain, 'cli-rolldown-runtime.cjs', 'cli-several.cjs']),
      );
    },
  );

  it('loads what resolves names before the first probe if one target is a name', async () => {
    const { files } = await loadedBy('127.0.0.1:1 localhost:1');
    expect(files).toContain('cli-names.cjs');
  });
});

/** Ends stderr with the lookups and connects of a process, in order. */
const RECORD_ORDER = `
  import dns from 'node:dns';
  import { writeSync } from 'node:fs';
  import { Socket } from 'node:net';
  const calls = [];
  const { lookup } = dns;
  dns.lookup = (host, ...rest) => (calls.push(host), lookup(host, ...rest));
  const { connect } = Socket.prototype;
  Socket.prototype.connect = function (...args) {
    calls.push('connect');
    return connect.apply(this, args);
  };
  process.on('exit', () => writeSync(2, '\\n' + calls.join(' ')));
`;

describe('a probe of a name', () => {
  it('warms lookups up before it connects, where it makes them itself', async () => {
    const preload = `data:text/javascript,${encodeURIComponent(RECORD_ORDER)}`;
    const { stderr } = await portping(['localhost', String(await freePort())], {
      command: [testNode, '--import', preload, command],
    });
    const calls = stderr.split('\n').at(-1);
    expect(calls).toMatch(
      'execve' in process ? /^::1 ::1 connect localhost / : /^connect connect /,
    );
  });
});

describe('a probe with --dns', () => {
  it.each(['nowhere.test 1', 'nowhere.test:1 nowhere.example:1'])(
    'of %s loads the resolver, but starts no process for lookups of the system',
    async (args) => {
      const { files } = await loadedBy(`--dns 127.0.0.1:${await freePort()} ${args}`);
      expect(files).toContain('cli-names.cjs');
      expect(files).not.toContain('cli-lookup-process.cjs'); // Node 20 would need it otherwise
    },
  );
});

describe('what is known about other tools', () => {
  it.each(['127.0.0.1 1', '-w 2s 127.0.0.1 1', '-c 1 127.0.0.1 1', '--help', '-h'])(
    'is not loaded by %s',
    async (args) => {
      const { files } = await loadedBy(args);
      expect(files.filter((file) => file.includes('advice'))).toEqual([]);
    },
  );

  it('is loaded by a refusal', async () => {
    expect((await loadedBy('-n 4 127.0.0.1 1')).files).toContain('cli-advice.cjs');
  });
});

describe('another run', () => {
  it.each([
    ['localhost 1', 'cli-names.cjs', undefined],
    ['127.0.0.1 1 --source 192.0.2.1', 'cli-failures.cjs', undefined],
    ['-c 1 127.0.0.1 1', 'cli-commander.cjs', undefined],
    ['127.0.0.1 1,2', 'cli-targets.cjs', undefined],
    ['-o json 127.0.0.1 1', 'cli-json.cjs', undefined],
    ['-c 2 -i 0 127.0.0.1 1', 'cli-series.cjs', undefined],
    ['--diagnose --no-companions 127.0.0.1 1', 'cli-diagnosing.cjs', undefined],
    ['--service=tls 127.0.0.1 1', 'cli-service-probe.cjs', 'tls'],
    ['--explain 10061', 'cli-explain-query.cjs', undefined],
    ['--completion bash', 'cli-completion.cjs', undefined],
  ])('%s loads %s when it is needed', async (args, file, builtin) => {
    const { files, builtins } = await loadedBy(args);
    expect(files).toContain(file);
    if (builtin !== undefined) expect(builtins).toContain(builtin);
  });
});
