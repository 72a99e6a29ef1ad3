import { once } from 'node:events';
import http from 'node:http';

/** A product API with two plans, for tests. */
export interface ProductApi {
  readonly url: string;
  /** Bodies of the sign-ups received. */
  readonly signUps: Record<string, string>[];
  /** While true, every answer is 500. */
  broken: boolean;
  close(): void;
}

const plan = {
  currency: 'EUR',
  roaming: 3,
  speed: 50,
  commitment: 0,
  highlights: ['Calls <and> texts'],
};
const plans = [
  { ...plan, id: 'wren', name: 'Wren', tagline: 'Small.', price: 700, data: 5, popular: false },
  {
    ...plan,
    id: 'swift',
    name: 'Swift & Co',
    tagline: 'Fast.',
    price: 1850,
    data: null,
    popular: true,
  },
];

export async function startProductApi(): Promise<ProductApi> {
  const signUps: Record<string, string>[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    const answer = (status: number, body: unknown) =>
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (api.broken) {
        answer(500, {});
      } else if (request.url === '/api/plans') {
        answer(200, { plans });
      } else {
        const body = Object.fromEntries(
          new URLSearchParams(JSON.parse(Buffer.concat(chunks).toString())),
        );
        signUps.push(body);
        const errors = [
          ...(body['name'] ? [] : [{ field: 'name', message: 'Tell us your name.' }]),
          ...(body['email']?.includes('@')
            ? []
            : [{ field: 'email', message: 'Enter an "email".' }]),
        ];
        if (errors.length > 0) {
          answer(422, { type: 'about:blank', title: 'Refused', status: 422, errors });
        } else if (!plans.some(({ id }) => id === body['plan'])) {
          answer(404, {
            type: 'about:blank',
            title: 'No such plan',
            status: 404,
            detail: 'There is no such plan.',
          });
        } else {
          answer(201, { ...body, id: '1', createdAt: '2026-01-01T00:00:00Z' });
        }
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Expected a TCP address.');
  const api: ProductApi = {
    url: `http://127.0.0.1:${address.port}`,
    signUps,
    broken: false,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
  return api;
}
