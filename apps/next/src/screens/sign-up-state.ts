import type { Problem, SignUp } from '@turnout/contracts/product';

/** The form's fields, by the names that the API gives them. */
export type SignUpField = 'name' | 'email' | 'plan';
export type SignUpValues = Record<SignUpField, string>;

/** What the sign-up page shows: the form (at first, or as refused with why), or a welcome. */
export type SignUpState =
  | {
      kind: 'form';
      values: SignUpValues;
      /** Per field, what is wrong with it. */
      errors: Partial<SignUpValues>;
      /** What is wrong with no field in particular. */
      message?: string;
    }
  | { kind: 'welcome'; name: string; email: string; plan: string };

/** The form at the start, with the plan that the visitor came for. */
export function blankForm(plan: string): SignUpState {
  return { kind: 'form', values: { name: '', email: '', plan }, errors: {} };
}

/** The values of a posted form; a missing field, or a file sent as one, is empty. */
export function postedValues(form: FormData): SignUpValues {
  const text = (field: SignUpField) => {
    const value = form.get(field);
    return typeof value === 'string' ? value : '';
  };
  return { name: text('name'), email: text('email'), plan: text('plan') };
}

/** The form again, as typed, with the API's reasons sorted to their fields. */
export function refusedForm(values: SignUpValues, problem: Problem): SignUpState {
  const errors: Partial<SignUpValues> = {};
  const others: string[] = [];
  for (const { field, message } of problem.errors ?? []) {
    if (field === 'name' || field === 'email' || field === 'plan') errors[field] ??= message;
    else others.push(message);
  }
  const nothingSorted = Object.keys(errors).length === 0 && others.length === 0;
  const message = nothingSorted ? (problem.detail ?? problem.title) : others.join(' ');
  return { kind: 'form', values, errors, ...(message !== '' && { message }) };
}

/** The form again, as typed, when nobody could be asked. */
export function unansweredForm(values: SignUpValues): SignUpState {
  return {
    kind: 'form',
    values,
    errors: {},
    message: 'We can’t sign you up right now. Nothing you typed is lost: please try again soon.',
  };
}

export function welcome(signUp: SignUp): SignUpState {
  return { kind: 'welcome', name: signUp.name, email: signUp.email, plan: signUp.plan };
}
