import { LISTENERS, ROUTED, ROUTER_ROUTES, ROUTER_RULES } from './routed.js';
import { testSituations } from './suite.js';

testSituations({
  title: 'Of routers with the ICMP limits of Linux, portping',
  situations: ROUTED,
  lab: { router: true },
  options: ['-w', '2500ms'],
  copies: 6,
  atOnce: 1,
  async setUp(lab) {
    for (const route of ROUTER_ROUTES) await lab.ip('router', `route add ${route}`);
    await lab.nft('router', ROUTER_RULES);
    await lab.sysctl('server', 'net.ipv4.ip_forward', 1);
    await lab.sysctl('server', 'net.ipv6.conf.all.forwarding', 1);
    await Promise.all(
      LISTENERS.flatMap(({ role, address, ports }) =>
        ports.map((port) => lab.listen(role, { address, port })),
      ),
    );
  },
});
