import type { Metadata } from 'next';
import { notFound } from 'next/navigation';

export const metadata: Metadata = { title: 'Page not found' };

/** Addresses under /next that no route has: a 404 page whose links stay under /next. */
export default function Unknown(): never {
  notFound();
}
