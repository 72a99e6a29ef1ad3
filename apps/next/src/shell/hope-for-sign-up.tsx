'use client';

import { turnout } from '@turnout/client';
import { useEffect } from 'react';
import { SIGN_UP } from '../product/sign-up-metric.ts';

/** A visit that ends without a sign-up is reported, too. Shows nothing. */
export function HopeForSignUp() {
  useEffect(() => turnout.expect(SIGN_UP), []);
  return null;
}
