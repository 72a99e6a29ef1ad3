import { createCrowd, newVisitors } from './visitors.ts';

/** The value of `data-frontend` in a page. */
export type FrontendName = 'wordpress' | 'next' | 'vue';

/** With shares of a fifth and more, this many visitors miss a frontend once in 10⁹. */
const VISITORS_MAX = 100;

/**
 * Fresh visitors until each frontend has got one, as chance has it.
 *
 * @param url the edge
 * @returns Cookie headers (`turnout=…`)
 * @throws {Error} if one frontend gets nobody
 */
export async function visitorOfEachFrontend(url: string): Promise<Record<FrontendName, string>> {
  const cookies = new Map<string, string>();
  const crowd = createCrowd(url, 1);
  try {
    for (const visitor of newVisitors(VISITORS_MAX)) {
      const served = await crowd.visit(visitor);
      cookies.set(served, visitor.cookie ?? '');
      const [wordpress, next, vue] = ['wordpress', 'next', 'vue'].map((name) => cookies.get(name));
      if (wordpress && next && vue) return { wordpress, next, vue };
    }
  } finally {
    await crowd.close();
  }
  throw new Error(`${VISITORS_MAX} visitors saw only ${[...cookies.keys()].join(', ')}`);
}
