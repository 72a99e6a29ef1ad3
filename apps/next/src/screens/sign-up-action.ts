'use server';

import { headers } from 'next/headers';
import { apiUrl } from '../product/api-url.ts';
import { signUp } from '../product/api.ts';
import { passedOn } from '../product/passed-on.ts';
import {
  postedValues,
  refusedForm,
  unansweredForm,
  welcome,
  type SignUpState,
} from './sign-up-state.ts';

/** The sign-up form's server action. What is valid is the API's to say, so that all frontends agree. */
export async function submitSignUp(_before: SignUpState, form: FormData): Promise<SignUpState> {
  const values = postedValues(form);
  const reply = await signUp(apiUrl(), values, passedOn(await headers()));
  if (reply === 'unavailable') return unansweredForm(values);
  return 'signUp' in reply ? welcome(reply.signUp) : refusedForm(values, reply.problem);
}
