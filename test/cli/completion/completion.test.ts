import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { portping } from '../../support/portping.js';
import { openPrompt, type ShellPrompt, type TypedShell } from '../../support/shells.js';
import { describeWith } from '../../support/tools.js';

const KNOWN_HOSTS = `known.example,[alternative.example]:2222,*.example,2001:db8::1 ssh-rsa AAAA
|1|aGFzaGVk|aGFzaGVk ssh-rsa AAAA
@cert-authority authority.example ssh-rsa AAAA
# comment.example ssh-rsa AAAA
`;

const SSH_HOSTS = ['known.example', 'alternative.example'];

/** What is typed before the Tab key, and the words that the command then gets. */
const LINES: readonly (readonly [title: string, typed: string, completed: string])[] = [
  ['an option', '--max-l', '--max-latency'],
  ['an option without a value', '-v --histo', '-v --histogram'],
  ['the state of --expect', '--expect clo', '--expect closed'],
  ['a format of -o', '-o pro', '-o prometheus'],
  ['a format in the same word', '--output=juni', '--output=junit'],
  ['a service', '--service smtp+', '--service smtp+tls'],
  ['a service in the same word', '--service=x4', '--service=x400'],
  ['a shell', '--completion pow', '--completion powershell'],
  ['a file', '--targets my-tar', '--targets my-targets.txt'],
  ['a host of the hosts file', 'localho', 'localhost'],
  ['a host that SSH knows', 'know', 'known.example'],
  ['a host that SSH knows on another port', 'altern', 'alternative.example'],
  ['a host after an option and its value', '-w 2s know', '-w 2s known.example'],
  ['a host after an option that has its value', '--wait 60s know', '--wait 60s known.example'],
  ['a host after an option that leaves its value out', '--wait know', '--wait known.example'],
  ['the host of --sni', '--sni know', '--sni known.example'],
  ['a port', 'db postgresq', 'db postgresql'],
  ['a port in the word of the host', 'db:memca', 'db:memcached'],
  ['a second port', 'db 25 memca', 'db 25 memcached'],
  [
    'a port after a host that could be a value',
    '--wait 10.0.0.1 memca',
    '--wait 10.0.0.1 memcached',
  ],
  ['the command after --', '--wait db 1 -- dirnam', '--wait db 1 -- dirname'],
  ['the host after --', '-w 2s -- know', '-w 2s -- known.example'],
  ['the port after --', '-w 2s -- db memca', '-w 2s -- db memcached'],
];

/** The same for what must not be completed. */
const LEFT_ALONE: readonly (readonly [title: string, typed: string])[] = [
  ['a host where a format is due', '-o known'],
  ['a file where a format is due', '-o my-tar'],
  ['a file where a duration is due', '-w my-tar'],
  ['a host where a duration is due', '-w know'],
  ['a port where a host is due', 'memca'],
  ['a host where a port is due', 'db know'],
  ['a file where a host is due', 'my-tar'],
  ['an option after --', '--wait db 1 -- --histo'],
];

/** What each shell needs before the script. */
const PREPARATION: Readonly<Record<TypedShell, string>> = {
  bash: '',
  zsh: 'autoload -U compinit && compinit -D -u; ',
  fish: '',
};

describe.each(['bash', 'zsh', 'fish'] as const)('completion', (shell) => {
  describeWith([shell, 'script'], `in ${shell}`, () => {
    let prompt: ShellPrompt;

    /** The words that the command gets when a line is typed and completed. */
    const complete = (typed: string): Promise<string> =>
      prompt.type(`portping ${typed}\t\r`, /\[\[(.*?) ?\]\]/);

    beforeAll(async () => {
      prompt = openPrompt(shell);
      const { stdout } = await portping(['--completion', shell]);
      mkdirSync(join(prompt.home, '.ssh'));
      writeFileSync(join(prompt.home, '.ssh', 'known_hosts'), KNOWN_HOSTS);
      writeFileSync(join(prompt.home, 'my-targets.txt'), '');
      writeFileSync(join(prompt.home, 'completion'), stdout);
      const stub =
        shell === 'fish'
          ? `function portping; echo "[[$argv]]"; end`
          : `portping() { echo "[[$*]]"; }`;
      const load = `${PREPARATION[shell]}source ./completion`;
      await prompt.type(`${stub}; ${load}; echo rea''dy\r`, /\bready\b/);
    });
    afterAll(() => prompt.close());

    it.each(LINES)('completes %s: %s', async (_title, typed, completed) => {
      expect(await complete(typed)).toBe(completed);
    });

    it('knows the hosts of both files, but no hash, marker, comment or pattern', async () => {
      const list = {
        bash: '$(_portping_hosts)',
        zsh: '$(_portping_hosts)',
        fish: '(__portping_hosts)',
      };
      const words = await prompt.type(`portping ${list[shell]}\r`, /\[\[(.*?)\]\]/);
      const hosts = words.split(' ');
      expect(hosts).toEqual(expect.arrayContaining(['localhost', ...SSH_HOSTS]));
      expect(hosts.slice(-SSH_HOSTS.length)).toEqual(SSH_HOSTS);
    });

    it.each(LEFT_ALONE)('does not complete %s: %s', async (_title, typed) => {
      expect(await complete(typed)).toBe(typed);
    });
  });
});

describe('a script', () => {
  it.each(['bash', 'zsh', 'fish', 'powershell'])('for %s names every option', async (shell) => {
    const [help, script] = await Promise.all([
      portping(['--help']),
      portping(['--completion', shell]),
    ]);
    expect([script.stderr, script.exitCode]).toEqual(['', 0]);
    expect(script.stdout).toMatch(/^[\x20-\x7e\n]+$/); // readable in a locale without Unicode
    const listed = [...help.stdout.matchAll(/^ {2}(?:-\w, )?--([\w-]+)/gm)].map(([, name]) => name);
    expect(listed.length).toBeGreaterThan(30);
    const named = new Set(script.stdout.match(/[\w-]+/g)?.map((word) => word.replace(/^--/, '')));
    expect(listed.filter((name = '') => !named.has(name))).toEqual([]);
  });
});

describe('--completion', () => {
  it.each([
    ['--completion', '--completion: needs a value; write: --completion bash'],
    [
      '--completion tcsh',
      '--completion: "tcsh" is not allowed; allowed: bash, zsh, fish, powershell',
    ],
    [
      '--completion zsh db 5432',
      '--completion: takes one shell and no target; write: portping --completion zsh',
    ],
    [
      '--completion zsh -- true',
      '--completion: takes one shell and no target; write: portping --completion zsh',
    ],
    [
      '-q --completion zsh',
      '--quiet: cannot be combined with --completion; use --completion alone',
    ],
  ])('%s is refused', async (args, message) => {
    expect(await portping(args.split(' '))).toMatchObject({
      stdout: '',
      stderr: `portping: ${message} (see: portping -h)\n`,
      exitCode: 64,
    });
  });
});
