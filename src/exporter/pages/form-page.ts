import { Refusal } from '../access/refusal.js';
import { renderDebugText } from '../probing/debug-text.js';
import type { Answer } from './answer.js';
import { LANDING_HEADERS, renderLandingPage } from './landing-page.js';
import type { Page, PageParts, PageRequest } from './page.js';
import { runProbe } from './probe-page.js';

const FIELDS = ['target', 'timeout', 'service'];

/** The field that a refusal is about: most begin with its name. */
const fieldOf = (message: string): string =>
  FIELDS.find((name) => message.startsWith(`${name}:`)) ?? 'target';

async function answerForm(parts: PageParts, request: PageRequest): Promise<Answer> {
  const { parameters: values, client } = request;
  try {
    const course = renderDebugText(await runProbe(parts, request)).trimEnd();
    const body = renderLandingPage(parts, { values, course });
    return { status: 200, headers: LANDING_HEADERS, body };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { reason, message, status } = error;
    parts.metrics.countRefusal(reason);
    parts.log('refused', { reason, client, message });
    const body = renderLandingPage(parts, { values, error: { field: fieldOf(message), message } });
    return { status, headers: { ...error.headers, ...LANDING_HEADERS }, body };
  }
}

/** The page for people after its form was sent: with the probe, or what is wrong with the form. */
export const formPage = (parts: PageParts): Page => ({
  path: '/try',
  hasEffects: true,
  answer: (request) => answerForm(parts, request),
});
