'use client';

import css from './notice.module.css';

/** Body of the error page. */
export function Broken({ retry }: { retry: () => void }) {
  return (
    <div className={css.full}>
      <h1>Lost the signal</h1>
      <p>Something went wrong on our side. We have logged it, and a second try often helps.</p>
      <p className={css.actions}>
        <button type="button" className="button" onClick={retry}>
          Try again
        </button>
      </p>
    </div>
  );
}
