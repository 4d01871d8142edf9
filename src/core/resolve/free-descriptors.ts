import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { errorFacts } from '../errors/socket-errors.js';
import type { ErrorFacts } from '../facts/outcome.js';

/**
 * EMFILE or ENFILE when this process cannot open so many more file descriptors, else null. Without
 * a free one, getaddrinfo reports "not found", which says nothing about the name.
 */
export function descriptorShortage(count: number): ErrorFacts | null {
  const opened: number[] = [];
  try {
    while (opened.length < count) opened.push(openSync(devNull, 'r'));
    return null;
  } catch (cause) {
    const error = errorFacts(cause);
    return error.code === 'EMFILE' || error.code === 'ENFILE' ? error : null;
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}
