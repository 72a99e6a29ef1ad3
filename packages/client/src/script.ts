// The script that the edge serves as /_turnout/client.js:
//     <script src="/_turnout/client.js" defer data-expect="signup"></script>

import { startInBrowser } from './browser.ts';
import type { Turnout } from './turnout.ts';

declare global {
  interface Window {
    turnout: Turnout;
  }
}

window.turnout = startInBrowser();
for (const verb of ['settle', 'expect'] as const) {
  // Names of metrics, with spaces between them.
  const metrics = document.currentScript?.dataset[verb]?.match(/\S+/g);
  for (const metric of metrics ?? []) window.turnout[verb](metric);
}
