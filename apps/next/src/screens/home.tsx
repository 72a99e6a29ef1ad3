import Image from 'next/image';
import nightFlight from '../images/night-flight.jpg';
import { featuredPlans } from '../product/featured.ts';
import { Canonical } from '../shell/canonical.tsx';
import { MountedLink } from '../shell/mounted-link.tsx';
import css from './home.module.css';
import { PlanCard } from './plan-card.tsx';
import { requestPlans } from './plans.ts';
import { UnavailableNotice } from './unavailable.tsx';

const REASONS = [
  {
    title: 'Abroad is not extra',
    text: 'Every plan has data for abroad in it. Land, switch on, carry on: no day passes, no surprise bill.',
  },
  {
    title: 'One price, in full',
    text: 'What you see is what you pay each month. No joining fee, no price that jumps after a year.',
  },
  {
    title: 'A number that stays yours',
    text: 'Bring your number along in a day, and take it with you just as easily if you ever fly off.',
  },
] as const;

export default async function Home() {
  const plans = await requestPlans();
  return (
    <>
      <Canonical path="/" />
      <section className={css.hero}>
        <div className={css.pitch}>
          <h1>
            Goes where <em>you go.</em>
          </h1>
          <p className={css.lead}>
            The tern flies from pole to pole and back each year. Tern Mobile is built the same way:
            light, tireless, at home everywhere.
          </p>
          <MountedLink href="/plans" className="button">
            See plans
          </MountedLink>
        </div>
        <Image
          className={css.picture}
          src={nightFlight}
          alt="A white tern in flight over a dark sea, a lime-green sun behind it sending out rings like a radio mast"
          sizes="(min-width: 80rem) 696px, (min-width: 56rem) 54vw, 94vw"
          preload
        />
      </section>

      <section aria-labelledby="featured" className={css.section}>
        <h2 id="featured">Pick your range</h2>
        {plans === 'unavailable' ? (
          <UnavailableNotice heading="h3" />
        ) : (
          <div className="plan-grid">
            {featuredPlans(plans).map((plan) => (
              <PlanCard key={plan.id} plan={plan} heading="h3" />
            ))}
          </div>
        )}
      </section>

      <section aria-labelledby="reasons" className={css.section}>
        <h2 id="reasons">Why people join</h2>
        <ol className={css.reasons}>
          {REASONS.map(({ title, text }) => (
            <li key={title}>
              <h3>{title}</h3>
              <p>{text}</p>
            </li>
          ))}
        </ol>
      </section>
    </>
  );
}
