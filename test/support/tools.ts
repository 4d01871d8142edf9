import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, it } from 'vitest';

/** Programs that tests run, each with the Debian package that has it. */
const PACKAGES = {
  dovecot: 'dovecot-imapd and dovecot-pop3d',
  nagios4: 'nagios4-core',
  nginx: 'nginx-light',
  openssl: 'openssl',
  postfix: 'postfix',
  prometheus: 'prometheus',
  'prometheus-node-exporter': 'prometheus-node-exporter',
  promtool: 'prometheus',
  prove: 'perl',
  sshd: 'openssh-server',
  tshark: 'tshark',
  vsftpd: 'vsftpd',
} as const;

/** A program that some tests need. To add one, add its line above. */
export type Tool = keyof typeof PACKAGES;

/** The PATH to start servers with: only root has their folders in its own. */
export const SERVER_PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

function isInstalled(tool: Tool): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Whether tests that need this program must be skipped. With PORTPING_LAB=required they never are:
 * they run and fail.
 */
function toolMissing(tool: Tool): boolean {
  return process.env['PORTPING_LAB'] !== 'required' && !isInstalled(tool);
}

/** The name of a test or suite, with the reason why it is skipped, if it is. */
function nameWithReason(name: string, tool: Tool): string {
  return toolMissing(tool)
    ? `${name} (skipped: \`${tool}\` is missing; install ${PACKAGES[tool]})`
    : name;
}

/** `it` for a test that needs a program. Its name says why it is skipped. */
export function itWith(
  tool: Tool,
  name: string,
  test: () => void | Promise<void>,
  timeoutMs = 40_000,
): void {
  it.skipIf(toolMissing(tool))(nameWithReason(name, tool), test, timeoutMs);
}

/** `describe` for tests that need a program. Its name says why they are skipped. */
export function describeWith(tool: Tool, name: string, tests: () => void): void {
  describe.skipIf(toolMissing(tool))(nameWithReason(name, tool), tests);
}

/** The same as a condition of `describeLab`. */
export const needsTool = (tool: Tool) => () =>
  isInstalled(tool)
    ? { ok: true as const }
    : { ok: false as const, why: `\`${tool}\` is missing; install ${PACKAGES[tool]}` };
