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

const AT_ROOT: Mount = '';

/**
 * The sign-up form's server action. What is valid is the API's to say, so that all frontends agree.
 * A sign-up is reported to the edge unless the shop was shown by its name.
 */
export async function submitSignUp(_before: SignUpState, form: FormData): Promise<SignUpState> {
  const values = postedValues(form);
  const request = await headers();
  const reply = await signUp(apiUrl(), values, passedOn(request));
  if (reply === 'unavailable') return unansweredForm(values);
  if ('problem' in reply) return refusedForm(values, reply.problem);
  if (form.get('mount') === AT_ROOT) {
    await reportSignUp(reply.signUp.plan, request, { apiUrl: apiUrl(), edgeUrl: edgeUrl() });
  }
  return welcome(reply.signUp);
}
