import type { Reference } from './page-document.ts';
import { styleSheetUrls } from './style-sheet.ts';
import { askFor, targetOf, type Survey, type Visit } from './survey.ts';
import type { Answer, Failure, UpstreamClient } from './upstream-client.ts';

/** Files of one page that are looked at; the rest have the same prefixes. */
const FILE_LIMIT = 60;

/** The page's own code of one kind, each address once: what other sites serve is not ours to check. */
export function ownFiles(
  { document }: Visit,
  { site }: Survey,
  kinds: readonly Reference['kind'][],
): URL[] {
  const own = (document?.references ?? []).filter(
    ({ kind, url }) => kinds.includes(kind) && site.placeOf(url) === 'public',
  );
  return unique(own.map(({ url }) => url)).slice(0, FILE_LIMIT);
}

/** What its style sheets load in turn: fonts, pictures, further sheets. */
export async function filesOfStyles(visit: Visit, survey: Survey): Promise<URL[]> {
  const sheets = await Promise.all(
    ownFiles(visit, survey, ['style']).map(async (url) => ({
      url,
      answer: await getFile(visit.upstream, url),
    })),
  );
  const loaded = sheets.flatMap(({ url, answer }) =>
    isServed(answer)
      ? styleSheetUrls(answer.body).flatMap((address) => URL.parse(address, url.href) ?? [])
      : [],
  );
  const own = loaded.filter(
    (url) => /^https?:$/.test(url.protocol) && survey.site.placeOf(url) === 'public',
  );
  return unique(own).slice(0, FILE_LIMIT);
}

/** A file as this upstream serves it, whether the edge would ask it or not. */
export function getFile(upstream: UpstreamClient, url: URL): Promise<Answer | Failure> {
  return upstream.get(targetOf(url), askFor(url, 'file'));
}

export function isServed(answer: Answer | Failure): answer is Answer {
  return answer.kind === 'answer' && answer.status >= 200 && answer.status < 300;
}

function unique(urls: readonly URL[]): URL[] {
  return [...new Map(urls.map((url) => [targetOf(url), url])).values()];
}
