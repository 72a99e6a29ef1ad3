import type { Plan, Problem } from '@turnout/contracts/product';

/** What a visitor types into the sign-up form, untrimmed and unchecked. */
export interface SignUpForm {
  plan: string;
  name: string;
  email: string;
}

/** The API's messages by the field that they are about; `form` takes those about no field. */
type SignUpErrors = Partial<Record<keyof SignUpForm | 'form', string>>;

export type SignUpOutcome =
  | { kind: 'welcome'; name: string; plan: string }
  | { kind: 'refused'; errors: SignUpErrors }
  /** The API gave no usable answer. */
  | { kind: 'unavailable' };

/** The product API as the pages use it; the server and the browser reach it by different ways. */
export interface ShopApi {
  /** Every plan, cheapest first. Throws when the API gives no usable answer. */
  plans(): Promise<readonly Plan[]>;
  /** Never throws. */
  signUp(form: SignUpForm): Promise<SignUpOutcome>;
}

/** Sorts a problem document's messages to the fields of the form (RFC 9457 with `errors`). */
export function signUpRefusal(problem: Problem): SignUpOutcome {
  const errors: SignUpErrors = {};
  for (const { field, message } of problem.errors ?? []) {
    const place = field === 'plan' || field === 'name' || field === 'email' ? field : 'form';
    errors[place] ??= message;
  }
  if (Object.keys(errors).length === 0) errors.form = problem.detail ?? problem.title;
  return { kind: 'refused', errors };
}
