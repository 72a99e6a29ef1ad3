import type { Plan } from '@turnout/contracts/product';
import { formatData, formatSpeed } from '../product/allowance.ts';
import { formatPrice } from '../product/price.ts';
import { MountedLink } from '../shell/mounted-link.tsx';
import css from './plan-card.module.css';

/** One plan among others. `heading` is the level that fits the page's outline. */
export function PlanCard({ plan, heading: Heading }: { plan: Plan; heading: 'h2' | 'h3' }) {
  return (
    <article className={css.card} data-popular={plan.popular}>
      <div className={css.top}>
        <Heading>{plan.name}</Heading>
        {plan.popular && <span className={css.badge}>Most popular</span>}
      </div>
      <p className={css.data}>
        {formatData(plan.data)} <span className={css.unit}>data</span>
      </p>
      <p className={css.tagline}>{plan.tagline}</p>
      <dl className={css.facts}>
        <div>
          <dt>Abroad</dt>
          <dd>{formatData(plan.roaming)}</dd>
        </div>
        <div>
          <dt>Up to</dt>
          <dd>{formatSpeed(plan.speed)}</dd>
        </div>
      </dl>
      <p className={css.price}>
        <strong>{formatPrice(plan.price, plan.currency)}</strong> a month
      </p>
      <MountedLink className={css.link} href={`/plans/${plan.id}`}>
        <span className="visually-hidden">{plan.name} details</span>
        <span aria-hidden="true">Details →</span>
      </MountedLink>
    </article>
  );
}
