import type { Metadata } from 'next';
import { MountedLink } from '../shell/mounted-link.tsx';
import css from './notice.module.css';

/** Head of the 404 page. */
export const missingMetadata: Metadata = { title: 'Page not found', robots: { index: false } };

/** Body of the 404 page. The status is set by proxy.ts. */
export function Missing() {
  return (
    <div className={css.full}>
      <p className={css.code} aria-hidden="true">
        404
      </p>
      <h1>Off the map</h1>
      <p>There is no page at this address. It may have moved, or the link has a typing error.</p>
      <p className={css.actions}>
        <MountedLink href="/plans" className="button">
          See plans
        </MountedLink>
        <MountedLink href="/">Go home</MountedLink>
      </p>
    </div>
  );
}
