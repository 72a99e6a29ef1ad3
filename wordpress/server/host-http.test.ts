import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeHostRequest } from './host-http.ts';
import { startProductApi, type ProductApi } from './product-api.fixture.ts';

let api: ProductApi;
beforeAll(async () => {
  api = await startProductApi();
});
afterAll(() => api.close());

const ask = async (request: object): Promise<unknown> =>
  JSON.parse(
    await makeHostRequest(
      JSON.stringify({ method: 'GET', headers: {}, body: null, timeout: 2, ...request }),
      ['http://127.0.0.1:1', api.url],
    ),
  );

test('calls the servers of the site for PHP', async () => {
  expect(await ask({ url: `${api.url}/api/plans` })).toMatchObject({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: expect.stringContaining('Wren'),
  });
  expect(
    await ask({
      url: `${api.url}/api/sign-ups`,
      method: 'POST',
      body: '{"name":"Ada","email":"a@b","plan":"wren"}',
    }),
  ).toMatchObject({ status: 201 });
});

test('calls nobody else', async () => {
  for (const url of [
    'https://api.wordpress.org/core/',
    `${api.url}9/`,
    'file:///etc/passwd',
    'x',
  ]) {
    expect(await ask({ url })).toEqual({ error: expect.stringContaining('only') });
  }
});

test('says what went wrong', async () => {
  const gone = await startProductApi();
  gone.close();
  const message = JSON.stringify({
    method: 'GET',
    url: gone.url,
    headers: {},
    body: null,
    timeout: 1,
  });
  expect(JSON.parse(await makeHostRequest(message, [gone.url]))).toEqual({
    error: expect.stringContaining('ECONNREFUSED'),
  });
  expect(JSON.parse(await makeHostRequest('nonsense', [gone.url]))).toHaveProperty('error');
});
