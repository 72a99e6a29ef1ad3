import type { Metadata } from 'next';
import { Canonical } from '../shell/canonical.tsx';
import { requestPlans } from './plans.ts';
import { SignUpForm } from './sign-up-form.tsx';
import { UnavailableNotice } from './unavailable.tsx';

export const metadata: Metadata = {
  title: 'Sign up',
  description: 'Join Tern Mobile in a minute.',
};

type Props = { searchParams: Promise<Record<string, string | string[] | undefined>> };

export default async function SignUp({ searchParams }: Props) {
  const plans = await requestPlans();
  if (plans === 'unavailable') {
    return (
      <>
        <header className="page-head">
          <h1>Sign up</h1>
        </header>
        <UnavailableNotice heading="h2" />
      </>
    );
  }
  const wanted = (await searchParams)['plan'];
  const preselected = plans.find(({ id }) => id === wanted)?.id ?? '';
  const options = plans.map(({ id, name, price, currency }) => ({ id, name, price, currency }));
  return (
    <>
      <Canonical path="/sign-up" />
      <SignUpForm plans={options} preselected={preselected} />
    </>
  );
}
