import { spawnSync } from 'node:child_process';
import { accessSync } from 'node:fs';
import { describe, test } from 'vitest';
import { namespacePrefix } from './namespaces.js';

/** Whether something can be used on this machine and, if not, why. */
type Availability = { ok: true } | { ok: false; why: string };

let availability: Availability | undefined;

/** Whether a network lab can be made here; found out by making a namespace, once in a process. */
function labAvailable(): Availability {
  return (availability ??= findAvailability());
}

function findAvailability(): Availability {
  if (process.platform !== 'linux')
    return { ok: false, why: `it needs Linux, this is ${process.platform}` };
  if (process.getuid?.() !== 0) return { ok: false, why: 'it needs root' };
  const name = `${namespacePrefix}-${process.pid}-check`;
  for (const command of ['ip', 'nft']) {
    if (spawnSync(command, ['-V']).error) return { ok: false, why: `there is no \`${command}\`` };
  }
  const script = `
    trap 'ip netns del ${name}' EXIT
    ip netns add ${name} && ip -n ${name} link add type veth && ip netns exec ${name} ls /proc/sys/net/ipv6 &&
    ip netns exec ${name} nft 'add table inet lab; add chain inet lab check; add rule inet lab check reject'`;
  const { status, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
  return status === 0
    ? { ok: true }
    : { ok: false, why: `no namespace can be made: ${stderr.split('\n', 1)}` };
}

/** Whether `Lab.delayLink` works here. */
export function delayLinkAvailable(): Availability {
  if (spawnSync('python3', ['-V']).error) return { ok: false, why: 'there is no `python3`' };
  try {
    accessSync('/dev/net/tun');
    return { ok: true };
  } catch {
    return { ok: false, why: 'there is no /dev/net/tun' };
  }
}

/**
 * `describe` for tests in the network lab. Where there is none they are skipped and the name says why, or, with
 * PORTPING_LAB=required, fail. `needs` are further conditions, such as `delayLinkAvailable`. Tests have 20 s.
 */
export function describeLab(
  name: string,
  tests: () => void,
  ...needs: (() => Availability)[]
): void {
  const missing = [labAvailable, ...needs]
    .map((need) => need())
    .find((availability) => !availability.ok);
  if (!missing || missing.ok) describe(name, { timeout: 20_000 }, tests);
  else if (process.env['PORTPING_LAB'] !== 'required')
    describe.skip(`${name} (skipped: ${missing.why})`, tests);
  else
    describe(name, () => test('has its network lab', () => Promise.reject(new Error(missing.why))));
}
