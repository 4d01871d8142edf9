import { expect, it } from 'vitest';
import { readSystemFile, systemFilePath } from '../../src/core/system-file.js';

it('a system file is found in the directory of the platform', () => {
  expect(systemFilePath('hosts', 'linux')).toBe('/etc/hosts');
  expect(systemFilePath('services', 'darwin')).toBe('/etc/services');
  expect(systemFilePath('hosts', 'win32', { SystemRoot: 'D:\\Windows' })).toBe(
    'D:\\Windows\\System32\\drivers\\etc\\hosts',
  );
});

it('a missing system file has no content', () => {
  expect(readSystemFile('/no/such/file')).toBeNull();
});
