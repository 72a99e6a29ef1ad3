import type { PlanList, Problem, SignUp } from '@turnout/contracts/product';
import { signUpRefusal, type ShopApi } from './shop-api.ts';

const TIMEOUT_MS = 10_000;

/**
 * The product API from the page's own origin, where the edge forwards `/api/**`.
 * Answers are taken as typed: the server side checks the same API with schemas
 * that would cost the browser more bytes than this whole app.
 */
export const browserApi: ShopApi = {
  async plans() {
    const answer = await fetch('/api/plans', { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!answer.ok) throw new Error(`GET /api/plans: expected status 200, got ${answer.status}`);
    const list: PlanList = await answer.json();
    return list.plans;
  },

  async signUp(form) {
    try {
      const answer = await fetch('/api/sign-ups', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(form),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (answer.status === 201) {
        const made: SignUp = await answer.json();
        return { kind: 'welcome', name: made.name, plan: made.plan };
      }
      if (answer.status >= 500) return { kind: 'unavailable' };
      const problem: Problem = await answer.json();
      return signUpRefusal(problem);
    } catch {
      return { kind: 'unavailable' };
    }
  },
};
