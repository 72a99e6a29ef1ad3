import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';

/** An upstream that says `quick` at once, and answers `/slow` only when told to. */
export interface SlowUpstream {
  readonly url: string;
  /** The answers to `/slow` that are still to be given. */
  readonly waiting: readonly ServerResponse[];
  close(): Promise<void>;
}

export async function startSlowUpstream(): Promise<SlowUpstream> {
  const waiting: ServerResponse[] = [];
  const server = createServer((request, response) => {
    if (request.url === '/slow') waiting.push(response);
    else response.end('quick');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('Expected a TCP port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    waiting,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
