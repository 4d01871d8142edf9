import type { ServiceProtocol } from './conversation/service-protocol.js';
import type { Protocol } from './registry.js';
import { banner } from './protocols/banner.js';
import { ftp } from './protocols/ftp.js';
import { http } from './protocols/http.js';
import { imap } from './protocols/imap.js';
import { pop3 } from './protocols/pop3.js';
import { smtp } from './protocols/smtp.js';
import { ssh } from './protocols/ssh.js';
import { tls } from './protocols/tls.js';
import { x400 } from './protocols/x400.js';

/** The checks of all protocols of the registry. */
export const PROTOCOLS: Readonly<Record<Protocol, ServiceProtocol>> = {
  banner,
  smtp,
  pop3,
  imap,
  ftp,
  ssh,
  http,
  tls,
  x400,
};
