import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { collect, environment } from '../support/command.js';
import { testNode } from '../support/portping.js';

it('the portable suite passes on this machine', { timeout: 180_000 }, async () => {
  const suite = fileURLToPath(new URL('suite.mjs', import.meta.url));
  const child = spawn(testNode, [suite], { env: environment, detached: true });
  const options = { input: '', timeoutMs: 170_000, startedAt: performance.now() };
  const { stdout, exitCode } = await collect(child, options);
  expect(exitCode, stdout).toBe(0);
  expect(stdout).toMatch(/ pass \d{2}\n/);
});
