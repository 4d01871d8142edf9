import { UsageError } from '../../core/usage-error.js';
import { Refusal } from '../access/refusal.js';
import { PLAIN_TEXT } from './answer.js';
import type { Page, PageParts } from './page.js';

/** Loads the configuration again. A wrong one changes nothing. */
export const reloadPage = ({ reload }: PageParts): Page => ({
  path: '/-/reload',
  hasEffects: true,
  methods: ['POST', 'PUT'],
  async answer() {
    try {
      await reload();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new Refusal('bad-configuration', `${error.message} (the old configuration stays)`);
    }
    return { status: 200, headers: PLAIN_TEXT, body: 'The configuration was loaded again.\n' };
  },
});

/** Shows the modules in the form of their file. */
export const configPage = ({ configuration }: PageParts): Page => ({
  path: '/config',
  answer: async () => ({
    status: 200,
    headers: PLAIN_TEXT,
    body: await configuration.describe(),
  }),
});
