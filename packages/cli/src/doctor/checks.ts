import { checkAssets } from './checks/assets.ts';
import { checkCaching } from './checks/caching.ts';
import { checkCookies } from './checks/cookies.ts';
import { checkExperiments } from './checks/experiments.ts';
import { checkForwarding } from './checks/forwarding.ts';
import { checkLedger } from './checks/ledger.ts';
import { checkLinks } from './checks/links.ts';
import { checkServiceWorkers } from './checks/service-workers.ts';
import { checkUpstreams } from './checks/upstreams.ts';
import type { Finding } from './finding.ts';
import type { Survey } from './survey.ts';

export interface Check {
  /** For machines. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  run(survey: Survey): readonly Finding[] | Promise<readonly Finding[]>;
}

/** In the order in which they are told. The configuration comes before all. */
export const CHECKS: readonly Check[] = [
  { name: 'upstreams', title: 'Upstreams answer', run: checkUpstreams },
  { name: 'links', title: 'Canonical links and absolute URLs', run: checkLinks },
  { name: 'assets', title: 'Assets come from the right upstream', run: checkAssets },
  { name: 'service-workers', title: 'Service workers', run: checkServiceWorkers },
  { name: 'cookies', title: 'Cookies', run: checkCookies },
  { name: 'forwarding', title: 'Redirects and forwarded headers', run: checkForwarding },
  { name: 'ledger', title: 'Ledger', run: checkLedger },
  { name: 'experiments', title: 'Experiments', run: checkExperiments },
  { name: 'caching', title: 'Caching', run: checkCaching },
];
