import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { createLab, describeLab, type Lab } from '../support/lab.js';
import { portpingCommand } from '../support/portping.js';

const OPEN = 7000;

/** Addresses of another network, where the portal answers for every host. */
const far = { v4: '10.79.0.1', v6: 'fd79::1' };

let lab: Lab;

async function diagnose(address: string): Promise<string[]> {
  const argv = [...portpingCommand, '--diagnose', '-o', 'json', address, String(OPEN)];
  const { stdout } = await lab.exec('client', argv);
  return JSON.parse(stdout).findings.map(({ kind }: { kind: string }) => kind);
}

/** A router that answers itself for these addresses, until the test ends. */
async function startPortal(family: 'v4' | 'v6', addresses: string): Promise<void> {
  const ip = family === 'v4' ? 'ip' : 'ip6';
  onTestFinished(async () => {
    await lab.nft('router', `delete table ${ip} portal`);
  });
  await lab.nft(
    'router',
    `add table ${ip} portal
    add chain ${ip} portal prerouting { type nat hook prerouting priority -100; }
    add rule ${ip} portal prerouting ${ip} daddr ${addresses} tcp dport ${OPEN} redirect`,
  );
}

describeLab('an address that no host may have', () => {
  beforeAll(async () => {
    lab = await createLab({ router: true });
    await Promise.all([lab.listen('server', { port: OPEN }), lab.listen('router', { port: OPEN })]);
  });
  afterAll(() => lab?.close());

  it.each([
    ['v4', '0.0.0.0/0'],
    ['v6', '::/0'],
  ] as const)('shows something on the way that answers everything (%s)', async (family, all) => {
    await startPortal(family, all);
    expect(await diagnose(far[family])).toEqual(['answered-by-somebody-else']);
  });

  it('says nothing about the other family', async () => {
    await startPortal('v4', '0.0.0.0/0');
    expect(await diagnose(lab.server.v6)).toEqual(['open']);
  });

  it('says nothing about a directly attached network', async () => {
    await startPortal('v4', '0.0.0.0/0');
    expect(await diagnose(lab.router.v4)).toEqual(['open']);
  });

  it('says nothing if its own network is directly attached', async () => {
    await startPortal('v4', '192.0.2.0/24');
    onTestFinished(async () => {
      await lab.ip('client', 'addr del 192.0.2.7/24 dev eth0');
      await lab.ip('router', 'addr del 192.0.2.1/24 dev eth0');
    });
    await lab.ip('client', 'addr add 192.0.2.7/24 dev eth0');
    await lab.ip('router', 'addr add 192.0.2.1/24 dev eth0');
    expect(await diagnose(lab.server.v4)).toEqual(['open']);
  });

  it('says nothing about a host that answers from farther away', async () => {
    await startPortal('v4', '192.0.2.0/24');
    // Answers of the server take a link that delays them; those of the router do not.
    const link = await lab.delayLink({ rttMs: 40 });
    for (const each of ['all', link.device])
      await lab.sysctl('client', `net.ipv4.conf.${each}.rp_filter`, 0);
    await lab.ip('server', `route add ${lab.client.v4}/32 dev ${link.device}`);
    onTestFinished(async () => {
      await lab.ip('server', `route del ${lab.client.v4}/32 dev ${link.device}`);
      await link.stop();
    });
    expect(await diagnose(lab.server.v4)).toEqual(['open']);
  });
});
