'use server';

import { headers } from 'next/headers';
import { apiUrl } from '../product/api-url.ts';
import { signUp } from '../product/api.ts';
import { edgeUrl } from '../product/edge-url.ts';
import { passedOn } from '../product/passed-on.ts';
import { reportSignUp } from '../product/report-sign-up.ts';
import type { Mount } from '../shell/mount.ts';
import {
  postedValues,
  refusedForm,
  unansweredForm,
  welcome,
  type SignUpState,
} from './sign-up-state.ts';

/**
 * The sign-up form's server action. What is valid is the API's to say, so that all frontends agree.
 *
 * @param mount where the form was shown; a sign-up counts at the root alone
 */
export async function submitSignUp(
  mount: Mount,
  _before: SignUpState,
  form: FormData,
): Promise<SignUpState> {
  const values = postedValues(form);
  const request = await headers();
  const reply = await signUp(apiUrl(), values, passedOn(request));
  if (reply === 'unavailable') return unansweredForm(values);
  if ('problem' in reply) return refusedForm(values, reply.problem);
  if (mount === '') {
    await reportSignUp(reply.signUp.plan, request, { apiUrl: apiUrl(), edgeUrl: edgeUrl() });
  }
  return welcome(reply.signUp);
}
