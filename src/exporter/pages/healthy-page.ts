import { PLAIN_TEXT } from './answer.js';
import type { Page } from './page.js';

/** Says that the exporter runs. */
export const healthyPage = (): Page => ({
  path: '/-/healthy',
  answer: () => ({ status: 200, headers: PLAIN_TEXT, body: 'portping-exporter is healthy.\n' }),
});
