import { planSchema, signUpSchema } from '@turnout/contracts/product';
import type { Plan, SignUp } from '@turnout/contracts/product';
import type { NewSignUp, SignUpOutcome } from './product-repository.ts';

type Row = Record<string, unknown>;

/** Columns that `planOfRow` reads. */
export const planColumns =
  'id, name, tagline, price, currency, data_gb, roaming_gb, speed_mbit, commitment_months, highlights, popular';

/**
 * Whether `id` can be a plan's. Asked before the database is: SQL collations
 * find `soar` for `soar ` as well (PAD SPACE), and choke on other alphabets.
 */
export function isPlanId(id: string): boolean {
  return planSchema.shape.id.safeParse(id).success;
}

/** A row of `plans` as the contract's plan; throws when the row breaks the contract. */
export function planOfRow(row: Row): Plan {
  return planSchema.parse({
    id: row['id'],
    name: row['name'],
    tagline: row['tagline'],
    price: row['price'],
    currency: row['currency'],
    data: row['data_gb'],
    roaming: row['roaming_gb'],
    speed: row['speed_mbit'],
    commitment: row['commitment_months'],
    highlights: JSON.parse(String(row['highlights'])),
    popular: row['popular'] === 1,
  });
}

/** A row of `sign_ups` (`created_at` as ISO text or Date) as the contract's sign-up. */
function signUpOfRow(row: Row): SignUp {
  const createdAt = row['created_at'];
  return signUpSchema.parse({
    id: row['id'],
    plan: row['plan'],
    name: row['name'],
    email: row['email'],
    createdAt: createdAt instanceof Date ? createdAt.toISOString() : createdAt,
  });
}

/** The answer for a sign-up that was just stored. */
export function createdSignUp(signUp: NewSignUp): SignUpOutcome {
  const { id, plan, name, email, createdAt } = signUp;
  return {
    outcome: 'created',
    signUp: { id, plan, name, email, createdAt: createdAt.toISOString() },
  };
}

/**
 * The answer for a sign-up whose key is taken by `row`: the stored sign-up when
 * both say the same, so that a retry is harmless and a key that leaks or clashes
 * shows nobody else's data.
 */
export function repeatedSignUp(signUp: NewSignUp, row: Row): SignUpOutcome {
  const stored = signUpOfRow(row);
  const same =
    stored.plan === signUp.plan && stored.name === signUp.name && stored.email === signUp.email;
  return same ? { outcome: 'replayed', signUp: stored } : { outcome: 'key-reused' };
}
