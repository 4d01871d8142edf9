import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLab, describeLab, type Lab } from '../support/lab.js';
import { pictureOf, steadyText } from '../support/picture.js';
import { portpingCommand } from '../support/portping.js';
import { readmeBlock } from '../support/readme.js';
import { openLabTerminal, type LabTerminal } from '../support/lab-terminal.js';

/** A screen, how it comes about, and the name of its file in .assets. */
interface Scene {
  readonly name: string;
  /** For those who cannot see the picture. */
  readonly title: string;
  /** As few as possible: the picture is as wide as a phone. */
  readonly columns: number;
  /** Command lines, in the order in which they are typed. */
  readonly commands: readonly string[];
  /** What happens while they run. */
  readonly meanwhile?: (terminal: LabTerminal, lab: Lab) => Promise<void>;
}

const MAIL = '192.0.2.10';
const DATABASE = '192.0.2.20';

const SCENES: readonly Scene[] = [
  {
    name: 'first-screen',
    title:
      'portping in a terminal: an open port, a closed one, a filtered one, and what 10061 means',
    columns: 66,
    commands: [
      'portping mail.example.com 25',
      'portping mail.example.com 102',
      'portping -w 2s mail.example.com 445',
      'portping --explain 10061',
    ],
  },
  {
    name: 'diagnose',
    title:
      'portping --diagnose in a terminal: its checks, the verdict, the evidence and what to do',
    columns: 74,
    commands: ['portping --diagnose mail.example.com 445'],
  },
  {
    name: 'series',
    title: 'portping -t in a terminal: before, during and after an outage, and the summary',
    columns: 66,
    commands: ['portping -t -i 200ms db 5432'],
    meanwhile: async (terminal, lab) => {
      const before = await lab.listen('server', { port: 5432 });
      await terminal.waitFor(/(Success.*\n){4}/);
      await before.stop();
      await terminal.waitFor(/Success[^]*(Error.*\n[^]*){3}/);
      const after = await lab.listen('server', { port: 5432 });
      await terminal.waitFor(/Success[^]*Error[^]*(Success.*\n){4}/);
      await terminal.press('C-c');
      await terminal.ended();
      await after.stop();
    },
  },
  {
    name: 'firewall',
    title: 'portping --targets in a terminal: a list of rules, and the one that is broken',
    columns: 72,
    commands: ['cat rules.txt', 'portping --targets rules.txt'],
  },
];

/** What the shell has before the commands of a scene. */
const PRELUDE = String.raw`
cat > rules.txt <<'END'
${readmeBlock('', '# what must be open')}END
portping() { ${portpingCommand.map((word) => `'${word}'`).join(' ')} "$@"; }
show() {
  printf '\033[32m$\033[0m %s\n' "$1"
  eval "$1"
  printf '\033[2mexit code %s\033[0m\n\n' $?
}
`;

/** Whether the pictures are made anew instead of compared. */
const isWriting = process.env['PORTPING_PICTURES'] === 'write';

describeLab(
  'a picture of the documentation',
  () => {
    let lab: Lab;

    beforeAll(async () => {
      lab = await createLab();
      const link = await lab.delayLink({
        rttMs: 12,
        clientAddress: '198.51.100.7',
        serverAddress: MAIL,
      });
      await lab.ip('server', `addr add ${DATABASE}/32 dev lo`);
      await lab.ip('client', `route add 192.0.2.0/24 dev ${link.device} src ${link.client.v4}`);
      await lab.dns('server', {
        zone: { 'mail.example.com': { A: [MAIL] }, mail: { A: [MAIL] }, db: { A: [DATABASE] } },
      });
      await lab.setResolver('client', { nameservers: [MAIL] });
      for (const port of [22, 25, 443]) await lab.listen('server', { port });
      await lab.drop(445);
    });
    afterAll(() => lab.close());

    /** The screen at the end of a scene. */
    async function play({ columns, commands, meanwhile }: Scene): Promise<string> {
      const lines = commands.map((line) => `show '${line}'`);
      const size = { columns, rows: 100 };
      const terminal = await openLabTerminal(lab, size, [PRELUDE, ...lines].join('\n'));
      try {
        await meanwhile?.(terminal, lab);
        await terminal.ended();
        return await terminal.screen();
      } finally {
        await terminal.close();
      }
    }

    it.each(SCENES)('shows what the command prints: $name', async (scene) => {
      const picture = pictureOf(scene.title, await play(scene), scene.columns);
      const path = fileURLToPath(new URL(`../../.assets/${scene.name}.svg`, import.meta.url));
      if (isWriting) await writeFile(path, picture);
      const shown = await readFile(path, 'utf8');
      expect(steadyText(shown), 'npm run pictures').toBe(steadyText(picture));
    });
  },
  'tmux',
  'delayLink',
);

describe('pictureOf', () => {
  it('gives each look its class, its place and its length, and escapes the text', () => {
    const svg = pictureOf('a <title>', '\x1b[32mOK\x1b[39m  \x1b[1;31m<b>\x1b[0m\n\x1b[2mdim', 10);
    expect(svg).toContain('<title>a &lt;title&gt;</title>');
    expect([...svg.matchAll(/<text x="(\d+)" .*?class="(\w+)"( [^>]*)?>(.*)<\/text>/g)]).toEqual([
      expect.objectContaining([expect.anything(), '14', 'green', undefined, 'OK']),
      expect.objectContaining([expect.anything(), '46', 'red', ' font-weight="bold"', '&lt;b&gt;']),
      expect.objectContaining([expect.anything(), '14', 'dim', undefined, 'dim']),
    ]);
  });

  it('refuses a look that it cannot draw', () => {
    expect(() => pictureOf('', '\x1b[7minverse', 10)).toThrow('7');
  });
});

describe('steadyText', () => {
  const textOf = (screen: string): string => steadyText(pictureOf('', screen, 20));

  it('differs with another title or another width', () => {
    const pictures = [pictureOf('a', '', 20), pictureOf('b', '', 20), pictureOf('a', '', 21)];
    expect(new Set(pictures.map(steadyText)).size).toBe(3);
  });

  it.each([
    ['another time', 'open in 12.3 ms', 'open in 9 ms'],
    ['another line break', 'open in\n12.3 ms', 'open in 12.3 ms'],
    [
      'more probes of the same kind',
      'Success! Pinged port 25 in 1 ms.\nSuccess! Pinged port 25 in 2 ms.',
      'Success! Pinged port 25 in 3 ms.',
    ],
    [
      'another order of checks',
      '\x1b[32m✔\x1b[39m Name  one\n\x1b[31m✖\x1b[39m Address  two',
      '\x1b[31m✖\x1b[39m Address  two\n\x1b[32m✔\x1b[39m Name  one',
    ],
    ['other figures', '3 open, 2 closed\np50 12, p90 13.5 ▁▂', '4 open, 1 closed\np50 1, p90 2 ▁▅'],
  ])('is the same with %s', (_, one, other) => {
    expect(textOf(one)).toBe(textOf(other));
  });

  it.each([
    ['another word', 'port 25 is open', 'port 25 is shut'],
    ['another port', 'port 25 is open', 'port 26 is open'],
    ['another colour', '\x1b[32mSuccess!', '\x1b[31mSuccess!'],
    ['a word that is broken', 'port 25 is open', 'port 25 is op\nen'],
    ['another result of a check', '\x1b[32m✔\x1b[39m Name  one', '\x1b[31m✖\x1b[39m Name  one'],
    ['another code', '<10061> returned', '<10060> returned'],
  ])('differs with %s', (_, one, other) => {
    expect(textOf(one)).not.toBe(textOf(other));
  });
});
