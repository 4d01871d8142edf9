import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { tapReporter } from '../../src/report/formats/tap.js';
import { collect, environment } from '../support/command.js';
import { temporaryFolder } from '../support/daemon.js';
import { freePort, listen } from '../support/listeners.js';
import { portpingCommand } from '../support/portping.js';
import { anyEvent, totalsOf } from '../support/texts.js';
import { describeWith } from '../support/tools.js';

/** Runs `prove`, which starts `command` with `test` as its last argument and reads its TAP. */
function prove(command: string, test: string) {
  const child = spawn('prove', ['--exec', command, test], { env: environment, detached: true });
  return collect(child, { input: '', timeoutMs: 30_000, startedAt: performance.now() });
}

const tapCommand = [...portpingCommand, '-o', 'tap'].join(' ');

describeWith('prove', 'prove', () => {
  it('passes the TAP of an open port', async () => {
    const { port } = await listen();
    const { stdout, stderr, exitCode } = await prove(tapCommand, `127.0.0.1:${port}`);
    expect(stdout).toMatch(/\nAll tests successful\.\nFiles=1, Tests=1, [^\n]*\nResult: PASS\n$/);
    expect([stderr, exitCode]).toEqual(['', 0]);
  });

  it('fails only the target whose port is closed', async () => {
    const { port } = await listen();
    const path = join(await temporaryFolder(), 'targets.txt');
    await writeFile(path, `127.0.0.1:${port}\n127.0.0.1:${await freePort()}\n`);
    const { stdout, exitCode } = await prove(`${tapCommand} --targets`, path);
    expect(stdout).toMatch(
      /\(Wstat: 256 \(exited 1\) Tests: 2 Failed: 1\)\n {2}Failed test: {2}2\n/,
    );
    expect(stdout).not.toContain('Parse errors');
    expect(exitCode).toBe(1);
  });

  it('reads every report correctly for any host name', async () => {
    const folder = await temporaryFolder();
    for (const [index, events] of fc
      .sample(fc.array(anyEvent, { minLength: 40, maxLength: 60 }), 5)
      .entries()) {
      const reporter = tapReporter({ expect: 'open', service: null, rounds: true });
      const tap = [
        ...events.map((event) => reporter.probe(event).stdout),
        reporter.finish(totalsOf(events.length)).stdout,
      ].join('');
      const path = join(folder, `${index}.tap`);
      await writeFile(path, tap);
      const failed = events.filter(({ verdict }) => !verdict.asExpected).length;
      const { stdout } = await prove('cat', path);
      expect(stdout).not.toMatch(/Parse errors|TODO|skipped/);
      expect(stdout).toContain(
        failed === 0 ? 'All tests successful.' : `Tests: ${events.length} Failed: ${failed})`,
      );
    }
  });
});
