'use client';

import { usePathname, useSearchParams } from 'next/navigation';
import css from './notice.module.css';

/** Stands where data should be, when the API server does not answer. The status (503) is set in proxy.ts. */
export function UnavailableNotice({ heading: Heading }: { heading: 'h2' | 'h3' }) {
  const pathname = usePathname();
  const query = useSearchParams().toString();
  return (
    <div className={css.notice}>
      <Heading>We can’t show our plans right now</Heading>
      <p>
        That is our doing, not yours, and it should pass soon. Please{' '}
        {/* A plain link: a full, fresh load of this very page, with and without JavaScript. */}
        <a href={query === '' ? pathname : `${pathname}?${query}`}>try again</a> in a moment.
      </p>
    </div>
  );
}
