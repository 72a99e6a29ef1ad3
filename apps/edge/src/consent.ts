import type { Config } from '@turnout/contracts';
import { compilePredicate, type Predicate } from '@turnout/router-core';

/**
 * Whether a visitor has agreed to be told apart from others: until they send the cookie that
 * the configuration names, they get control, no cookie, and no count. Without the option all
 * have.
 */
export function createConsent(consent: Config['consent']): Predicate {
  if (consent === undefined) return () => true;
  const { cookie: name, value } = consent;
  return compilePredicate({ cookie: { name, ...(value !== undefined && { value }) } });
}
