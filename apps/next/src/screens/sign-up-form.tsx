'use client';

import { turnout } from '@turnout/client';
import type { Plan } from '@turnout/contracts/product';
import { useActionState, useEffect, useRef } from 'react';
import { formatPrice } from '../product/price.ts';
import { SIGN_UP } from '../product/sign-up-metric.ts';
import { useMount } from '../shell/mount-context.tsx';
import { MountedLink } from '../shell/mounted-link.tsx';
import { submitSignUp } from './sign-up-action.ts';
import { blankForm, type SignUpField } from './sign-up-state.ts';
import css from './sign-up-form.module.css';

type Props = {
  plans: readonly Pick<Plan, 'id' | 'name' | 'price' | 'currency'>[];
  /** Id of the plan chosen before; '' for none. */
  preselected: string;
};

/** The sign-up form, and the welcome that takes its place. Works without JavaScript too. */
export function SignUpForm({ plans, preselected }: Props) {
  const mount = useMount();
  const [state, submit, pending] = useActionState(submitSignUp, blankForm(preselected));
  const form = useRef<HTMLFormElement>(null);
  const greeting = useRef<HTMLHeadingElement>(null);

  // The server has reported it.
  useEffect(() => {
    if (state.kind === 'welcome' && mount === '') turnout.settle(SIGN_UP);
  }, [state, mount]);

  // The answer replaces what the visitor was looking at: take the focus to it.
  useEffect(() => {
    if (state.kind === 'welcome') greeting.current?.focus();
    else form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [state]);

  if (state.kind === 'welcome') {
    const plan = plans.find(({ id }) => id === state.plan)?.name ?? state.plan;
    return (
      // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- an output element may hold no heading
      <div role="status" className={css.welcome}>
        <h1 ref={greeting} tabIndex={-1}>
          Welcome, {state.name}
        </h1>
        <p>
          You are on <strong>{plan}</strong>. We are writing to <strong>{state.email}</strong> with
          what comes next.
        </p>
        <MountedLink href="/" className="button">
          Back to home
        </MountedLink>
      </div>
    );
  }

  const { values, errors, message } = state;
  const field = (name: SignUpField) => ({
    id: name,
    name,
    defaultValue: values[name],
    required: true,
    'aria-invalid': errors[name] !== undefined,
    'aria-describedby': errors[name] === undefined ? undefined : `${name}-error`,
  });
  const error = (name: SignUpField) =>
    errors[name] !== undefined && (
      <p role="alert" id={`${name}-error`} className={css.error}>
        {errors[name]}
      </p>
    );

  return (
    <div className={css.layout}>
      <header className="page-head">
        <h1>Sign up</h1>
        <p>Three fields and you are on your way. You pay nothing today.</p>
      </header>
      {/* noValidate: the API's own words, next to the field, are better than the browser's bubble. */}
      <form ref={form} action={submit} noValidate className={css.form}>
        <input type="hidden" name="mount" value={mount} />
        {message !== undefined && (
          <p role="alert" className={css.message}>
            {message}
          </p>
        )}
        <div className={css.field}>
          <label htmlFor="name">Full name</label>
          <input {...field('name')} type="text" autoComplete="name" />
          {error('name')}
        </div>
        <div className={css.field}>
          <label htmlFor="email">Email</label>
          <input {...field('email')} type="email" autoComplete="email" />
          {error('email')}
        </div>
        <div className={css.field}>
          <label htmlFor="plan">Plan</label>
          {/* React resets the form after an action, and a select does not follow its new
              default value then: the key makes it a new one. */}
          <select key={values.plan} {...field('plan')}>
            <option value="">Choose a plan</option>
            {plans.map(({ id, name, price, currency }) => (
              <option key={id} value={id}>
                {name}, {formatPrice(price, currency)} a month
              </option>
            ))}
          </select>
          {error('plan')}
        </div>
        <button type="submit" className="button" disabled={pending}>
          Sign up
        </button>
      </form>
    </div>
  );
}
