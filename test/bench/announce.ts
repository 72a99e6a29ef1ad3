import type { Server } from 'node:http';

/** What a server of the benchmark says once it listens. */
export interface Announcement {
  readonly port: number;
}

/** Listens on a free port of the loopback, tells the parent, and ends when the parent does. */
export function announce(server: Server): void {
  process.once('disconnect', () => process.exit());
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('Expected a TCP port');
    process.send?.({ port: address.port } satisfies Announcement);
  });
}
