import type { Conversation } from './conversation.js';
import type { ProtocolName } from './protocol-signatures.js';

/** What a check knows about the connection. */
interface CheckContext {
  /** The host to name in the protocol: ASCII name or address; IPv6 without brackets and zone. */
  readonly host: string;
  /** The port that was connected to. */
  readonly port: number;
  /** Our own address, or null when it is unknown. */
  readonly localAddress: string | null;
  /** Whether the check must start TLS (STARTTLS). Implicit TLS is in place before it runs. */
  readonly startTls: boolean;
}

/** What a check reports about a service that answered correctly. */
export interface CheckResult {
  /** What the answer means, if it is not text. */
  readonly meaning?: string;
  /** The command that ends the conversation: `QUIT`. A line without its end. */
  readonly farewell?: string;
}

/**
 * Talks with a service until it is clear that it works. It changes nothing and never logs in.
 *
 * @throws ServiceFailure when the service does not answer as it should
 */
type ServiceCheck = (conversation: Conversation, context: CheckContext) => Promise<CheckResult>;

/** A protocol that a service may speak. */
export interface ServiceProtocol {
  readonly check: ServiceCheck;
  /**
   * As what its first bytes may be recognized (inside TLS, if there is TLS); null if they may look
   * like anything. Any other protocol is reported by name.
   */
  readonly recognizedAs: readonly ProtocolName[] | null;
}
