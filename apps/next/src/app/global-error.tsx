'use client';

import { Broken } from '../screens/broken.tsx';
import './globals.css';

/** Takes the whole document's place when the layout itself fails. */
export default function GlobalError({ retry }: { retry: () => void }) {
  return (
    <html lang="en" data-frontend="next">
      <body>
        <title>Something went wrong – Tern Mobile</title>
        <main>
          <Broken retry={retry} />
        </main>
      </body>
    </html>
  );
}
