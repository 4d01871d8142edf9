import { beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../support/listeners.js';
import { portping } from '../../support/portping.js';

let port = '';
beforeAll(async () => {
  port = String(await freePort());
});

/** What a run with these options writes to stderr before its explanation. */
async function remarksOf(line: string, env: Record<string, string> = {}): Promise<string[]> {
  const { stderr } = await portping([...line.split(' '), '127.0.0.1', port], { env });
  return stderr.split('\n').filter((each) => / seconds?; /.test(each));
}

describe('a duration without a unit', () => {
  it.each([
    ['-w 500', '--timeout: 500 is 500 seconds; 500ms is half a second'],
    ['--timeout=1000', '--timeout: 1000 is 1000 seconds; 1000ms is 1 second'],
    ['-c 1 -w 250.5', '--timeout: 250.5 is 250.5 seconds; 250.5ms is 0.2505 seconds'],
    ['-o json -w 100', '--timeout: 100 is 100 seconds; 100ms is 0.1 seconds'],
    ['--max-latency 300', '--max-latency: 300 is 300 seconds; 300ms is 0.3 seconds'],
    ['-c 1 --expect closed -w 100', '--timeout: 100 is 100 seconds; 100ms is 0.1 seconds'],
  ])('of 100 or more is explained in one line: %s', async (line, remark) => {
    expect(await remarksOf(line)).toEqual([`portping: ${remark}`]);
  });

  it('is explained by the name of its variable', async () => {
    expect(await remarksOf('-v', { PORTPING_TIMEOUT: '500' })).toEqual([
      'portping: PORTPING_TIMEOUT: 500 is 500 seconds; 500ms is half a second',
    ]);
  });

  it.each(['-w 99', '-w 500ms', '-w 500s', '-q -w 500', '-o nagios -w 500', '-c 1 --rate 500'])(
    'is not remarked on if it is short, has a unit, is no duration or is not for people: %s',
    async (line) => {
      expect(await remarksOf(line)).toEqual([]);
    },
  );

  it('changes neither the verdict nor the exit code', async () => {
    const { stdout, exitCode } = await portping(['-w', '500', '127.0.0.1', port]);
    expect(stdout).toBe('Error Detected: Connection refused <10061> returned.\n');
    expect(exitCode).toBe(1);
  });
});

it.each(['5sec', '1m30s', '2min', '0.5s'])('%s is accepted as a duration', async (text) => {
  for (const line of [`-w ${text}`, `--timeout=${text} -c 1`, `--expect closed --wait ${text}`])
    expect((await portping([...line.split(' '), '127.0.0.1', port])).exitCode).toBeLessThan(2);
});
