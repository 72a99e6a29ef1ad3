import type { ReactNode } from 'react';
import { Shell } from '../../shell/shell.tsx';

export default function SiteLayout({ children }: { children: ReactNode }) {
  return <Shell mount="">{children}</Shell>;
}
