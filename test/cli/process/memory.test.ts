import { spawnSync } from 'node:child_process';
import { setFlagsFromString } from 'node:v8';
import { describe, expect, it, vi } from 'vitest';
import { limitMemory } from '../../../src/cli/process/memory.js';

vi.mock('node:v8', () => ({ setFlagsFromString: vi.fn() }));

const hasMaglev = Number(process.versions.node.split('.')[0]) >= 24;

function flagsSet(): string[] {
  limitMemory();
  return vi.mocked(setFlagsFromString).mock.calls.map(([flag]) => flag);
}

/** What a process of this Node that is started with these flags writes. */
const runNode = (...args: string[]) => spawnSync(process.execPath, args, { encoding: 'utf8' });

describe('limiting memory', () => {
  it('sets flags that the V8 of this Node knows', () => {
    const { status, stderr } = runNode(...flagsSet(), '--eval', '0');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('turns Maglev off where it is on, and lets TurboFan begin as early as without it', () => {
    const flags = flagsSet().filter((flag) => /maglev|turbofan/.test(flag));
    const { stdout } = runNode('--no-maglev', '--print-flag-values', '--eval', '0');
    const early = /^--invocation-count-for-turbofan=\d+$/m.exec(stdout)?.[0];
    expect(new Set(flags)).toEqual(new Set(hasMaglev ? ['--no-maglev', early] : []));
  });
});
