'use client';

import { createContext, useContext, type ReactNode } from 'react';
import type { Mount } from './mount.ts';

const MountContext = createContext<Mount>('');

/** Tells every link below it where the app is mounted. */
export function MountProvider({ mount, children }: { mount: Mount; children: ReactNode }) {
  return <MountContext value={mount}>{children}</MountContext>;
}

export function useMount(): Mount {
  return useContext(MountContext);
}
