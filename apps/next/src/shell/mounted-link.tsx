'use client';

import Link from 'next/link';
import type { ComponentProps } from 'react';
import { mountedPath } from './mount.ts';
import { useMount } from './mount-context.tsx';

type Props = Omit<ComponentProps<typeof Link>, 'href'> & {
  /** Path of the page at the root; the link adds the mount. */
  href: `/${string}`;
};

/** A link to one of our pages, which stays under the path where the app is shown. */
export function MountedLink({ href, ...rest }: Props) {
  return <Link href={mountedPath(useMount(), href)} {...rest} />;
}
