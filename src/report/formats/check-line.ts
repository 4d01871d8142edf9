/** States of a check and their exit codes (guidelines, "Plugin Return Codes"). */
export const CHECK_STATES = { OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3 } as const;

export type CheckState = keyof typeof CHECK_STATES;

/** Text for a check: a pipe would begin the performance data (guidelines, "Plugin Output"). */
export const withoutPipes = (text: string): string => text.replaceAll('|', '\\x7c');

/** The first line of a check, without its end. */
export const checkLine = (state: CheckState, text: string): string => `PORTPING ${state}: ${text}`;
