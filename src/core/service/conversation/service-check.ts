import type { Conversation } from './conversation.js';

/** What a check is told about whom it talks to. */
interface CheckContext {
  /** The host as the protocol is to be told: the name in ASCII, or the address; IPv6 without brackets and zone. */
  readonly host: string;
  /** The port that was connected to. */
  readonly port: number;
  /** Our own address, or null when it is not known. */
  readonly localAddress: string | null;
  /** Whether to turn to TLS in the course of the conversation (STARTTLS). TLS from the start is not the check's business. */
  readonly startTls: boolean;
}

/** What a check has to say when the service answered as it should. */
export interface Answer {
  /** What the answer means, when it is not text. */
  readonly meaning?: string;
  /** The polite last words: `QUIT`. A line, without its end. */
  readonly farewell?: string;
}

/**
 * Talks with a service until it is clear that it is there. It sends nothing that changes anything and authenticates nobody. Whatever is not as
 * it should be is thrown by the conversation (see `Conversation.refuse`), and caught where conversations are held.
 */
export type ServiceCheck = (talk: Conversation, context: CheckContext) => Promise<Answer>;
