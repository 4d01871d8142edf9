/**
 * Thrown for misuse only: an argument or option that cannot be meant. The message is one line that
 * names the parameter, what is wrong with it and what is allowed. Answers of the network are never
 * thrown; they are values.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
