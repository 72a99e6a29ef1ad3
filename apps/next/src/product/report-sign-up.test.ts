import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { reportSchema, type Report } from '@turnout/contracts/event';
import { expect, onTestFinished, test } from 'vitest';
import { reportSignUp } from './report-sign-up.ts';

const plan = {
  id: 'soar',
  name: 'Soar',
  tagline: 'Up.',
  price: 1850,
  currency: 'EUR',
  data: null,
  roaming: 25,
  speed: 300,
  commitment: 0,
  highlights: [],
  popular: true,
};

/** One server for both: plans, and reports of conversions. */
async function startServers(): Promise<{ url: URL; reports: Report[] }> {
  const reports: Report[] = [];
  const server = createServer((request, response) => {
    const answer = async () => {
      if (request.url === '/api/plans/soar') return response.end(JSON.stringify(plan));
      if (request.url !== '/_turnout/v1/events') return response.writeHead(404).end('{}');
      reports.push(reportSchema.parse(JSON.parse(await text(request))));
      return response.writeHead(202).end();
    };
    void answer();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a TCP address');
  return { url: new URL(`http://127.0.0.1:${address.port}`), reports };
}

const REQUEST_ID = '01a2074a-3d37-7b61-910c-817a158874cd';
const request = new Headers({ Cookie: 'turnout=1.x', 'X-Request-Id': REQUEST_ID });

test('a sign-up is worth what the plan costs a month, in euros', async () => {
  const { url, reports } = await startServers();
  await reportSignUp('soar', request, { apiUrl: url, edgeUrl: url });
  expect(reports).toMatchObject([
    { events: [{ metric: 'signup', did_convert: true, value: 18.5, request_id: REQUEST_ID }] },
  ]);
});

test('one of a plan whose price is not known counts all the same', async () => {
  const { url, reports } = await startServers();
  await reportSignUp('albatross', request, { apiUrl: url, edgeUrl: url });
  expect(reports).toMatchObject([{ events: [{ metric: 'signup', did_convert: true }] }]);
  expect(reports[0]?.events[0]).not.toHaveProperty('value');
});
