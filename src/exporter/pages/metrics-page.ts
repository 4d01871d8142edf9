import type { Page, PageParts } from './page.js';

/** The exporter's metrics about itself. */
export const metricsPage = ({ metrics }: PageParts): Page => ({
  path: '/metrics',
  answer: async () => ({
    status: 200,
    headers: { 'Content-Type': metrics.contentType },
    body: await metrics.render(),
  }),
});
