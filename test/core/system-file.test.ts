import { expect, it } from 'vitest';
import { readSystemFile, systemFilePath } from '../../src/core/system-file.js';

it('A file of the system lies where the platform keeps it', () => {
  expect(systemFilePath('hosts', 'linux')).toBe('/etc/hosts');
  expect(systemFilePath('services', 'darwin')).toBe('/etc/services');
  expect(systemFilePath('hosts', 'win32', { SystemRoot: 'D:\\Windows' })).toBe(
    'D:\\Windows\\System32\\drivers\\etc\\hosts',
  );
});

it('A file of the system that is not there is nothing', () => {
  expect(readSystemFile('/no/such/file')).toBeNull();
});
