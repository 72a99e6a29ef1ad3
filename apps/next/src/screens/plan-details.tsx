import type { Metadata } from 'next';
import { formatCommitment, formatData, formatSpeed } from '../product/allowance.ts';
import { formatPrice } from '../product/price.ts';
import { Canonical } from '../shell/canonical.tsx';
import { MountedLink } from '../shell/mounted-link.tsx';
import css from './plan-details.module.css';
import { Missing, missingMetadata } from './missing.tsx';
import { requestPlan } from './plans.ts';
import { UnavailableNotice } from './unavailable.tsx';

type Props = { params: Promise<{ id: string }> };

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const plan = await requestPlan((await params).id);
  if (plan === 'missing') return missingMetadata;
  if (plan === 'unavailable') return { title: 'Plans' };
  return { title: plan.name, description: plan.tagline };
}

export default async function PlanDetails({ params }: Props) {
  const plan = await requestPlan((await params).id);
  if (plan === 'missing') return <Missing />;
  if (plan === 'unavailable') {
    return (
      <>
        <header className="page-head">
          <h1>Plans</h1>
        </header>
        <UnavailableNotice heading="h2" />
      </>
    );
  }
  return (
    <>
      <Canonical path={`/plans/${plan.id}`} />
      <p className={css.back}>
        <MountedLink href="/plans">← All plans</MountedLink>
      </p>
      <div className={css.layout}>
        <div>
          <h1>{plan.name}</h1>
          <p className={css.tagline}>{plan.tagline}</p>
          <ul className={css.highlights}>
            {plan.highlights.map((highlight) => (
              <li key={highlight}>{highlight}</li>
            ))}
          </ul>
        </div>
        <section className={css.offer} aria-label="The offer">
          <p className={css.price}>
            <strong>{formatPrice(plan.price, plan.currency)}</strong> a month
          </p>
          <dl>
            <div>
              <dt>Data</dt>
              <dd>{formatData(plan.data)}</dd>
            </div>
            <div>
              <dt>Data abroad</dt>
              <dd>{formatData(plan.roaming)}</dd>
            </div>
            <div>
              <dt>Top speed</dt>
              <dd>{formatSpeed(plan.speed)}</dd>
            </div>
            <div>
              <dt>Minimum term</dt>
              <dd>{formatCommitment(plan.commitment)}</dd>
            </div>
          </dl>
          <MountedLink href={`/sign-up?plan=${plan.id}`} className="button">
            Choose {plan.name}
          </MountedLink>
        </section>
      </div>
    </>
  );
}
