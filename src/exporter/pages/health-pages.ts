import { PLAIN_TEXT } from './answer.js';
import type { Page } from './page.js';

const says = (path: string, what: string): Page => ({
  path,
  answer: () => ({ status: 200, headers: PLAIN_TEXT, body: `portping-exporter is ${what}.\n` }),
});

/** Says that the exporter runs. */
export const healthyPage = (): Page => says('/-/healthy', 'healthy');

/** Says that the exporter answers. It listens only when it is ready, and stops with that. */
export const readyPage = (): Page => says('/-/ready', 'ready');
