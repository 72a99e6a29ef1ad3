import type { Metadata } from 'next';
import { Canonical } from '../shell/canonical.tsx';
import { PlanCard } from './plan-card.tsx';
import { requestPlans } from './plans.ts';
import { UnavailableNotice } from './unavailable.tsx';

export const metadata: Metadata = {
  title: 'Plans',
  description: 'Every Tern Mobile plan, with data at home and abroad, speed and price.',
};

export default async function PlanList() {
  const plans = await requestPlans();
  return (
    <>
      <Canonical path="/plans" />
      <header className="page-head">
        <h1>Plans</h1>
        <p>Every one of them works at home and abroad. How far do you fly?</p>
      </header>
      {plans === 'unavailable' ? (
        <UnavailableNotice heading="h2" />
      ) : (
        <div className="plan-grid">
          {plans.map((plan) => (
            <PlanCard key={plan.id} plan={plan} heading="h2" />
          ))}
        </div>
      )}
    </>
  );
}
