import { describe, expect, it } from 'vitest';
import { windowsNameProblem } from '../../../src/cli/output/windows-names.js';

describe('windowsNameProblem', () => {
  it.each([
    ['NUL', 'is the device NUL of Windows'],
    ['nul.txt', 'is the device NUL of Windows'],
    ['C:\\results\\NUL', 'is the device NUL of Windows'],
    ['C:NUL', 'is the device NUL of Windows'],
    ['NUL:', 'is the device NUL of Windows'],
    ['CON', 'is the device CON of Windows'],
    ['results/con.csv', 'is the device CON of Windows'],
    ['COM1', 'is the device COM1 of Windows'],
    ['lpt9.txt', 'is the device LPT9 of Windows'],
    ['CONOUT$', 'is the device CONOUT$ of Windows'],
    ['\\\\.\\pipe\\results', 'is a device of Windows'],
    ['//./PhysicalDrive0', 'is a device of Windows'],
    ['ab:c.txt', 'is a data stream of the file ab'],
    ['C:\\results.txt:hidden', 'is a data stream of the file results.txt'],
    ['what?.txt', 'has a ?, which Windows allows in no name'],
    ['C:\\*.csv', 'has a *, which Windows allows in no name'],
  ])('refuses %s', (path, problem) => {
    expect(windowsNameProblem(path)).toBe(problem);
  });

  it.each([
    'results.txt',
    'null.txt',
    'console.txt',
    'com10.txt',
    'my.con',
    'nul\\results.txt',
    'C:\\results.txt',
    'a:b.txt',
    '\\\\server\\share\\results.txt',
    '\\\\?\\C:\\results.txt',
  ])('accepts %s', (path) => {
    expect(windowsNameProblem(path)).toBeUndefined();
  });
});
