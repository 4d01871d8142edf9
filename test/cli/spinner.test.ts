import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fitColumns } from '../../src/cli/output/spinner.js';
import { onTerminal } from '../support/terminal.js';
import { describeWith } from '../support/tools.js';

describe('fitColumns', () => {
  it.each([
    ['db:5432', 7, 'db:5432'],
    ['db:5432', 6, 'db:543'],
    ['例例例', 6, '例例例'],
    ['例例例', 5, '例例'],
    ['例例例', 1, ''],
    ['a例b', 3, 'a例'],
    ['🙂🙂', 3, '🙂'],
    ['anything', -4, ''],
  ])('keeps of "%s" what fits into %i columns', (text, columns, fitting) => {
    expect(fitColumns(text, columns)).toBe(fitting);
  });
});

describeWith('script', 'the spinner on a terminal of 50 columns', () => {
  const server = createSocket('udp4'); // a DNS server that never answers
  beforeAll(async () => {
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => server.close());

  /** All that the command wrote while it waited for the name server. */
  const waiting = (host: string, options: string[] = [], env = {}): Promise<string> => {
    const dns = `127.0.0.1:${server.address().port}`;
    const args = [...options, '-w', '1500ms', '--dns', dns, host, '80'];
    return onTerminal(args, { columns: 50, env });
  };

  /** Columns of a line: characters of Chinese and Japanese take two. */
  const columnsOf = (line: string): number =>
    [...line].reduce((sum, character) => sum + (/\p{Script=Han}/u.test(character) ? 2 : 1), 0);

  it.each([
    ['a short name', 'short.test'],
    ['a long name', `${'long'.repeat(15)}.test`],
    ['a name of wide characters', `${'例'.repeat(25)}.test`],
  ])('fits into the line with %s', async (_, host) => {
    const output = await waiting(host);
    const frames = output
      .split(/\x1b\[[\d?]*[A-Za-z]|[\r\n]/)
      .filter((part) => part.startsWith(` ${host.slice(0, 5)}`)); // after the coloured frame
    expect(frames.length).toBeGreaterThan(3);
    for (const frame of frames) expect(columnsOf(frame)).toBeLessThan(48); // and two of the frame
  });

  it('counts the seconds', async () => {
    const frames = (await waiting('short.test')).matchAll(/ short\.test:80: (\d) of 1\.5 s/g);
    const seconds = Array.from(frames, ([, second]) => second);
    expect(seconds.at(-1)).toBe('1');
    expect(seconds).toEqual([...seconds].sort());
  });

  it('is coloured, but not with NO_COLOR or --no-color', async () => {
    const colour = /\x1b\[\d+m[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/;
    expect(await waiting('short.test')).toMatch(colour);
    expect(await waiting('short.test', [], { NO_COLOR: '' })).toMatch(colour);
    for (const plain of [
      await waiting('short.test', [], { NO_COLOR: '1' }),
      await waiting('short.test', ['--no-color']),
    ]) {
      expect(plain).toMatch(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] short/);
      expect(plain).not.toMatch(colour);
    }
  });
});
