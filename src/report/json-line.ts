import { escapeJson } from './escape.js';

/** The version of the JSON objects. It changes when a field is renamed, removed or redefined. */
export const JSON_SCHEMA = 'portping/1';

/** An object as one line of JSON that is safe for a terminal, ending with a newline. */
export const formatJsonLine = (object: object): string => `${escapeJson(JSON.stringify(object))}\n`;
