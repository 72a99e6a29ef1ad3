import { error, ok, warning, type Finding } from '../finding.ts';
import { getFile, isServed, ownFiles } from '../page-files.ts';
import { serviceWorkerCalls, type Registration } from '../service-worker-calls.ts';
import { placeOfVisit, targetOf, type Survey, type Visit } from '../survey.ts';
import type { Answer, UpstreamClient } from '../upstream-client.ts';

/** Where frameworks put a service worker. */
const USUAL_PATHS = ['/sw.js', '/service-worker.js', '/ngsw-worker.js'];

const EXPECTED = "no service worker over an experiment's pages: it answers before the edge does";
const FIX =
  'Take the registration out while the experiment runs, and serve at the same address a worker ' +
  'that calls self.registration.unregister(): browsers that have it keep it; or give it a scope ' +
  'below a prefix of its own';

/** Whether a service worker would go on serving one variant, whatever the edge decides. */
export async function checkServiceWorkers(survey: Survey): Promise<Finding[]> {
  const contested = survey.visits.filter(
    ({ page, document }) =>
      document !== undefined && survey.destinationOf(page).kind === 'experiment',
  );
  if (contested.length === 0) return [];
  const registered = await Promise.all(
    contested.map((visit) => registrationFindings(visit, survey)),
  );
  const upstreams = new Set(contested.map(({ upstream }) => upstream));
  const served = await Promise.all(
    [...upstreams].flatMap((upstream) =>
      USUAL_PATHS.map((path) => servedFinding(upstream, new URL(path, survey.site.origin))),
    ),
  );
  // A script that several pages link to is told once.
  const once = new Map(registered.flat().map((finding) => [JSON.stringify(finding), finding]));
  const findings = [...once.values(), ...served.flat()];
  return findings.length > 0 ? findings : [ok('pages', 'no page registers a service worker')];
}

async function registrationFindings(visit: Visit, survey: Survey): Promise<Finding[]> {
  const linked = await Promise.all(
    ownFiles(visit, survey, ['script']).map(async (url) => ({
      at: url,
      answer: await getFile(visit.upstream, url),
    })),
  );
  const scripts = [
    ...(visit.document?.inlineScripts ?? []).map((source) => ({
      where: `${placeOfVisit(visit)} (a script in the page)`,
      source,
    })),
    ...linked.flatMap(({ at, answer }) =>
      isServed(answer)
        ? [{ where: `${visit.upstream.name} ${targetOf(at)}`, source: answer.body }]
        : [],
    ),
  ];
  return scripts.flatMap(({ where, source }) => {
    const calls = serviceWorkerCalls(source);
    if (calls === undefined) {
      return [
        warning({
          where,
          expected: EXPECTED,
          got: 'it speaks of service workers, and is no JavaScript that can be read here',
          fix: `See what it does. ${FIX}`,
        }),
      ];
    }
    return calls.flatMap((call) => callFinding(call, where, visit, survey));
  });
}

function callFinding(call: Registration, where: string, visit: Visit, survey: Survey): Finding[] {
  if (call.kind === 'computed') {
    return [
      warning({
        where,
        expected: EXPECTED,
        got: 'it registers one that is worked out in the browser',
        fix: `See which pages its scope takes in. ${FIX}`,
      }),
    ];
  }
  const { script } = call;
  const folder = URL.parse('.', URL.parse(script, visit.address.href)?.href);
  const scope = call.scope === undefined ? folder : URL.parse(call.scope, visit.address.href);
  // A browser refuses what is no address.
  if (scope === null) return [];
  const taken = survey.pages.filter(
    (page) =>
      page.origin === scope.origin &&
      page.pathname.startsWith(scope.pathname) &&
      survey.destinationOf(page).kind === 'experiment',
  );
  if (taken.length === 0) return [];
  return [
    error({
      where,
      expected: EXPECTED,
      got: `it registers ${script} for ${scope.pathname}, which takes in ${taken.map(targetOf).join(', ')}`,
      fix: FIX,
    }),
  ];
}

async function servedFinding(upstream: UpstreamClient, url: URL): Promise<Finding[]> {
  const answer = await getFile(upstream, url);
  if (!isServed(answer) || !isJavaScript(answer)) return [];
  return [
    warning({
      where: `${upstream.name} ${url.pathname}`,
      expected: 'no service worker at an address that takes in every page',
      got: 'JavaScript',
      fix: `If it is one that browsers have, or get: ${FIX.charAt(0).toLowerCase()}${FIX.slice(1)}`,
    }),
  ];
}

function isJavaScript({ headers }: Answer): boolean {
  return /\b(java|ecma)script\b/.test(headers['content-type'] ?? '');
}
