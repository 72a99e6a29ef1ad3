'use client';

import Link from 'next/link';
import { usePathname } from 'next/navigation';
import { isCurrent, mountedPath } from './mount.ts';
import { useMount } from './mount-context.tsx';
import css from './shell.module.css';

const ENTRIES = [
  { name: 'Home', path: '/' },
  { name: 'Plans', path: '/plans' },
  { name: 'Sign up', path: '/sign-up' },
] as const;

export function Navigation() {
  const mount = useMount();
  const pathname = usePathname();
  const home = mountedPath(mount, '/');
  return (
    <nav aria-label="Main" className={css.nav}>
      <ul>
        {ENTRIES.map(({ name, path }) => {
          const href = mountedPath(mount, path);
          const current = isCurrent(pathname, href, home);
          return (
            <li key={path}>
              <Link href={href} aria-current={current === 'section' ? 'true' : current}>
                {name}
              </Link>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}
