import type { ReactNode } from 'react';
import { Logo } from './logo.tsx';
import type { Mount } from './mount.ts';
import { MountProvider } from './mount-context.tsx';
import { MountedLink } from './mounted-link.tsx';
import { Navigation } from './navigation.tsx';
import css from './shell.module.css';

/** What stands around every page: skip link, header, main region, footer. */
export function Shell({ mount, children }: { mount: Mount; children: ReactNode }) {
  return (
    <MountProvider mount={mount}>
      <a className={css.skip} href="#content">
        Skip to content
      </a>
      <header className={css.header}>
        <MountedLink href="/" className={css.brand}>
          <Logo />
          <span>Tern Mobile</span>
        </MountedLink>
        <Navigation />
      </header>
      <main id="content" tabIndex={-1} className={css.main}>
        {children}
      </main>
      <footer className={css.footer}>
        <p className={css.sign}>Goes where you go.</p>
        <p>This page is served by Next.js</p>
      </footer>
    </MountProvider>
  );
}
