import type { Metadata } from 'next';
import type { ReactNode } from 'react';
import { Shell } from '../../shell/shell.tsx';

// The same pages as at the root: search engines should keep those.
export const metadata: Metadata = { robots: { index: false } };

export default function NextLayout({ children }: { children: ReactNode }) {
  return <Shell mount="/next">{children}</Shell>;
}
