import type { Metadata, Viewport } from 'next';
import type { ReactNode } from 'react';
import './globals.css';

export const metadata: Metadata = {
  title: { default: 'Tern Mobile – Goes where you go.', template: '%s – Tern Mobile' },
  description: 'Mobile plans with data at home and abroad, one price, no surprises.',
  icons: { icon: { url: '/_mfe/next/icon.svg', type: 'image/svg+xml' } },
};

export const viewport: Viewport = { themeColor: '#070a12', colorScheme: 'dark' };

export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en" data-frontend="next">
      <body>{children}</body>
    </html>
  );
}
