import { startInBrowser } from './browser.ts';
import type { Turnout } from './turnout.ts';

export type { Turnout } from './turnout.ts';

/** Where there is no page, as in a frontend that renders on the server: reports nothing. */
const nowhere: Turnout = { convert: () => {}, expect: () => {}, settle: () => {} };

/** Reports what the visitor of this page did. */
export const turnout: Turnout = typeof document === 'undefined' ? nowhere : startInBrowser();
