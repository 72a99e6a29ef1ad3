import { planListSchema, problemSchema, signUpSchema, type Plan } from '@turnout/contracts/product';
import {
  signUpRefusal,
  type ShopApi,
  type SignUpForm,
  type SignUpOutcome,
} from '../shop/shop-api.ts';

/** The product API with what only the server has to say of a sign-up: whose request it is part of. */
export interface ProductApi extends ShopApi {
  signUp(form: SignUpForm, headers?: Readonly<Record<string, string>>): Promise<SignUpOutcome>;
}

export interface ProductApiOptions {
  /** Origin of the API server, such as `http://127.0.0.1:4000`. */
  url: URL;
  /** How long a page waits for the API, in milliseconds. */
  timeoutMs: number;
  /** Told of every failure, one line each; pages show a friendly message instead. */
  log: (line: string) => void;
}

/** The product API as the server reaches it: each answer is checked against its schema. */
export function productApi({ url, timeoutMs, log }: ProductApiOptions): ProductApi {
  let reading: Promise<readonly Plan[]> | null = null;

  async function readPlans(): Promise<readonly Plan[]> {
    const answer = await fetch(new URL('/api/plans', url), {
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!answer.ok) throw new Error(`expected status 200, got ${answer.status}`);
    return planListSchema.parse(await answer.json()).plans;
  }

  return {
    // Pages rendered at the same moment share one request; nothing is kept after it.
    plans() {
      reading ??= readPlans()
        .catch((error: unknown) => {
          log(`GET /api/plans at ${url.origin} failed: ${reason(error)}`);
          throw error;
        })
        .finally(() => {
          reading = null;
        });
      return reading;
    },

    async signUp(form, headers = {}) {
      try {
        const answer = await fetch(new URL('/api/sign-ups', url), {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
          body: JSON.stringify(form),
          signal: AbortSignal.timeout(timeoutMs),
        });
        const body: unknown = await answer.json();
        if (answer.status === 201) {
          const { name, plan } = signUpSchema.parse(body);
          return { kind: 'welcome', name, plan };
        }
        if (answer.status >= 500) throw new Error(`expected status 201, got ${answer.status}`);
        return signUpRefusal(problemSchema.parse(body));
      } catch (error) {
        log(`POST /api/sign-ups at ${url.origin} failed: ${reason(error)}`);
        return { kind: 'unavailable' };
      }
    },
  };
}

/** An error with its causes on one line: fetch hides `ECONNREFUSED` one level down. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.message.replaceAll(/\s+/g, ' ');
  return error.cause === undefined ? own : `${own}: ${reason(error.cause)}`;
}
