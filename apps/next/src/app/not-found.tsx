import type { Metadata } from 'next';
import { Missing } from '../screens/missing.tsx';
import { Shell } from '../shell/shell.tsx';

export const metadata: Metadata = { title: 'Page not found' };

/** Any address that no route has; those below /next have their own, which stays there. */
export default function NotFound() {
  return (
    <Shell mount="">
      <Missing />
    </Shell>
  );
}
