import type { Page, PageParts } from './page.js';
import { SharedRendering } from './shared-rendering.js';

/** The exporter's metrics about itself. */
export function metricsPage({ metrics }: PageParts): Page {
  const rendering = new SharedRendering(() => metrics.render());
  return {
    path: '/metrics',
    answer: async ({ signal }) => ({
      status: 200,
      headers: { 'Content-Type': metrics.contentType },
      body: await rendering.get(signal),
    }),
  };
}
