import { accessSync, constants } from 'node:fs';
import { arch, cpus, release } from 'node:os';
import { delimiter, join } from 'node:path';

function canAccess(path, mode) {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

/** The path of a program in PATH, or undefined. */
export function findProgram(program) {
  const candidates = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program));
  return candidates.find((path) => canAccess(path, constants.X_OK));
}

/** Needs that are not programs: the check, and the message if it fails. */
const conditions = {
  linux: {
    holds: () => process.platform === 'linux',
    otherwise: `this is ${process.platform}, not Linux`,
  },
  root: { holds: () => process.getuid?.() === 0, otherwise: 'it needs root' },
  tun: {
    holds: () => canAccess('/dev/net/tun', constants.R_OK | constants.W_OK),
    otherwise: 'there is no /dev/net/tun',
  },
};

/**
 * The needs that this machine does not meet, in words; '' if it meets all.
 *
 * @param {string[]} needs conditions above and names of programs
 */
export function missing(needs) {
  const lacking = needs.filter((need) => !(conditions[need]?.holds() ?? findProgram(need)));
  return lacking.map((need) => conditions[need]?.otherwise ?? `there is no ${need}`).join(', ');
}

/** The machine and the day in one line. */
export function describeMachine() {
  const day = new Date().toISOString().slice(0, 10);
  const cores = `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'})`;
  return `${day}, ${process.platform} ${release()} ${arch()}, ${cores}`;
}
