import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/daemon.js';
import { freePort, listen } from '../support/listeners.js';
import { portping } from '../support/portping.js';

describe('-o github', () => {
  it('appends the job summary to the file that GITHUB_STEP_SUMMARY names', async () => {
    const file = join(await temporaryFolder(), 'summary.md');
    await writeFile(file, 'before\n');
    const env = { GITHUB_STEP_SUMMARY: file };
    const target = `127.0.0.1:${await freePort()}`;
    const { stdout, stderr, exitCode } = await portping(['-o', 'github', target], { env });
    expect(stdout).toMatch(/^::error title=[^\n]+\n$/);
    expect([stderr, exitCode]).toEqual(['', 1]);
    expect(await readFile(file, 'utf8')).toMatch(/^before\n### portping: 1 of 1 target not /);
    await portping(['-o', 'json', target], { env });
    await portping(['-o', 'github', '-q', target], { env });
    expect((await readFile(file, 'utf8')).match(/###/g)).toHaveLength(1);
  });

  it('needs no such file, and reports one that cannot be written', async () => {
    const args = ['-o', 'github', `127.0.0.1:${(await listen()).port}`];
    expect(await portping(args)).toMatchObject({ stdout: '', stderr: '', exitCode: 0 });
    const env = { GITHUB_STEP_SUMMARY: await temporaryFolder() };
    const { stderr, exitCode } = await portping(args, { env });
    expect(stderr).toMatch(/^portping: GITHUB_STEP_SUMMARY: \S+ cannot be written \(.+\)\n$/);
    expect(exitCode).toBe(0);
  });

  it('annotates a target once that was waited for in vain', async () => {
    const target = `127.0.0.1:${await freePort()}`;
    const args = ['-o', 'github', '--wait', '500ms', '-i', '100ms', target];
    const { stdout, stderr, exitCode } = await portping(args);
    expect(stdout).toMatch(/^::error title=[^\n]+\n$/);
    expect([stderr, exitCode]).toEqual(['', 1]);
  });
});
