import { configPage, reloadPage } from './configuration-pages.js';
import { healthyPage, readyPage } from './health-pages.js';
import { formPage } from './form-page.js';
import { landingPage } from './landing-page.js';
import { metricsPage } from './metrics-page.js';
import type { Page, PageParts } from './page.js';
import { probePage } from './probe-page.js';

/** Every page: one line each. */
const PAGES: readonly ((parts: PageParts) => Page)[] = [
  probePage,
  metricsPage,
  healthyPage,
  readyPage,
  reloadPage,
  configPage,
  landingPage,
  formPage,
];

/** Makes all pages, by their paths. */
export const makePages = (parts: PageParts): ReadonlyMap<string, Page> =>
  new Map(PAGES.map((make) => make(parts)).map((page) => [page.path, page]));
