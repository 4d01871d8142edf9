import type { TLSSocket } from 'node:tls';
import { Refusal } from '../access/refusal.js';
import type { WebTls } from './web-config.js';

/** The alternative names of a certificate, without their kinds: `DNS:a, IP Address:::1`. */
const namesIn = (text = ''): string[] =>
  text.split(', ').map((each) => each.replace(/^(?:DNS|IP Address|email|URI):/, ''));

/**
 * Checks the certificate that a client showed.
 *
 * @throws Refusal (`bad-certificate`)
 */
export function checkClientCertificate(socket: TLSSocket, { client, allowedNames }: WebTls): void {
  if (!client.requested) return;
  const { subjectaltname, raw } = socket.getPeerCertificate() as Partial<
    ReturnType<TLSSocket['getPeerCertificate']>
  >;
  const refuse = (problem: string): never => {
    throw new Refusal(
      'bad-certificate',
      `${problem}; allowed: a certificate of an authority in client_ca_file`,
    );
  };
  if (raw === undefined) return client.required ? refuse('no client certificate') : undefined;
  if (client.verified && !socket.authorized)
    refuse(`the client certificate is not trusted (${String(socket.authorizationError)})`);
  if (
    allowedNames.length > 0 &&
    !namesIn(subjectaltname).some((name) => allowedNames.includes(name))
  )
    refuse('no name of the client certificate is in client_allowed_sans');
}
