import { readFileSync, type Stats, statSync } from 'node:fs';

/**
 * Where each platform keeps its files about the network, `hosts` and `services`: hosts(5),
 * services(5); on Windows below the system root.
 */
export function systemFilePath(
  name: 'hosts' | 'services',
  platform: NodeJS.Platform = process.platform,
  env: NodeJS.ProcessEnv = process.env,
): string {
  return platform === 'win32'
    ? `${env['SystemRoot'] ?? 'C:\\Windows'}\\System32\\drivers\\etc\\${name}`
    : `/etc/${name}`;
}

/** A small text file of the system, or null when there is none or it cannot be read. */
export function readSystemFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** Whether a path is of a kind; false when it does not exist. */
export function isOfKind(path: string, kind: (stats: Stats) => boolean): boolean {
  try {
    return kind(statSync(path));
  } catch {
    return false; // reading it says why
  }
}

/** Whether a path is a pipe, which can be read only once. */
export const isPipe = (path: string): boolean => isOfKind(path, (stats) => stats.isFIFO());
