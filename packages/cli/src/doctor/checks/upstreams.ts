import { error, ok, warning, type Finding } from '../finding.ts';
import { askFor, placeOfVisit, targetOf, type Survey, type Visit } from '../survey.ts';
import type { Answer, Failure, UpstreamClient } from '../upstream-client.ts';

/** Whether every upstream answers, and every variant has the pages of its experiments. */
export async function checkUpstreams(survey: Survey): Promise<Finding[]> {
  const { upstreams, pages, visits, site } = survey;
  const home = new URL('/', site.origin);
  const homes = await Promise.all(
    [...upstreams.values()].map(async (upstream) => ({
      upstream,
      answer: await upstream.get(targetOf(home), askFor(home, 'page')),
    })),
  );
  // What is wrong with a whole upstream is told once, not for each of its pages.
  const answering = new Set(
    homes.flatMap(({ upstream, answer }) => (answer.kind === 'answer' ? [upstream] : [])),
  );
  const answered = visits.filter(({ upstream }) => answering.has(upstream));
  return [
    ...homes.flatMap(({ upstream, answer }) => {
      const isPage = visits.some((visit) => visit.upstream === upstream);
      return homeFindings(upstream, answer, isPage);
    }),
    ...pages.flatMap((page) => pageFindings(answered.filter((visit) => visit.page === page))),
  ];
}

/** @param hasPages whether pages of it are looked at besides */
function homeFindings(
  { name, origin }: UpstreamClient,
  answer: Answer | Failure,
  hasPages: boolean,
): Finding[] {
  if (answer.kind === 'failure') {
    const { problem, fix } = answer;
    return [error({ where: name, expected: `an answer from ${origin}`, got: problem, fix })];
  }
  const findings: Finding[] = [];
  if (!answer.keepsAlive) {
    findings.push(
      warning({
        where: name,
        expected: 'connections that are kept open (HTTP/1.1 keep-alive)',
        got: 'an answer that closes its connection',
        fix: 'Switch keep-alive on: else every request waits for a new connection, and a busy edge runs out of ports',
      }),
    );
  }
  if (hasPages) return findings;
  // An API need not have a home page: all that counts here is that it speaks.
  const isBroken = answer.status >= 500;
  return [
    isBroken ? serverError(`${name} /`, answer) : ok(`${name} /`, timed(answer)),
    ...findings,
  ];
}

/** @param visits of one page, at all upstreams that may serve it */
function pageFindings(visits: readonly Visit[]): Finding[] {
  const isServed = visits.some(({ last }) => last !== undefined && last.status < 400);
  return visits.flatMap((visit): Finding[] => {
    const { last, failure } = visit;
    const where = placeOfVisit(visit);
    if (failure !== undefined) {
      const { problem, fix } = failure;
      return [error({ where, expected: 'a page', got: problem, fix })];
    }
    // Redirects that lead nowhere are for another check.
    if (last === undefined) return [];
    if (last.status >= 500) return [serverError(where, last)];
    if (last.status < 400) return [ok(where, timed(last))];
    if (!isServed) {
      return [
        warning({
          where,
          expected: 'a page of the experiment',
          got: `status ${last.status}, as from every upstream that was asked`,
          fix: 'Nothing was checked there: name a page that exists, such as --page /plans/1',
        }),
      ];
    }
    return [
      error({
        where,
        expected: 'the page, as another variant has it',
        got: `status ${last.status}`,
        fix: "Give this variant the page, or leave it out of the experiment's scope",
      }),
    ];
  });
}

function serverError(where: string, { status }: Answer): Finding {
  return error({
    where,
    expected: 'a page',
    got: `status ${status}`,
    fix: 'Look into its log; it fails on a plain GET of a visitor without cookies',
  });
}

function timed({ status, firstByte, keepsAlive }: Answer): string {
  return `${status} in ${Math.round(firstByte)} ms${keepsAlive ? ', keep-alive' : ''}`;
}
