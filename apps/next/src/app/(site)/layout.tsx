import type { ReactNode } from 'react';
import { HopeForSignUp } from '../../shell/hope-for-sign-up.tsx';
import { Shell } from '../../shell/shell.tsx';

export default function SiteLayout({ children }: { children: ReactNode }) {
  return (
    <Shell mount="">
      {children}
      <HopeForSignUp />
    </Shell>
  );
}
