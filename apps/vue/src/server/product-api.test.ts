import { describe, expect, test } from 'vitest';
import { sendJson, soar, startPlanServer } from '../testing/plan-server.ts';
import { productApi } from './product-api.ts';

const form = { plan: 'soar', name: 'Ada', email: 'ada@example.org' };

function apiAt(url: URL, timeoutMs = 5_000) {
  const lines: string[] = [];
  return { lines, api: productApi({ url, timeoutMs, log: (line) => lines.push(line) }) };
}

describe('plans', () => {
  test('pages at the same moment share one request, later ones ask again', async () => {
    let requests = 0;
    const { api, lines } = apiAt(
      await startPlanServer((_request, response) => {
        requests += 1;
        sendJson(response, 200, { plans: [soar] });
      }),
    );
    expect(await Promise.all([api.plans(), api.plans()])).toEqual([[soar], [soar]]);
    expect(requests).toBe(1);
    await api.plans();
    expect(requests).toBe(2);
    expect(lines).toEqual([]);
  });

  test.each([
    ['another status', 500, { plans: [soar] }, /expected status 200, got 500/],
    ['another shape', 200, { plans: [{ ...soar, price: '18' }] }, /price/],
  ])('%s fails, and the log says how', async (_name, status, body, reason) => {
    const { api, lines } = apiAt(
      await startPlanServer((_request, response) => sendJson(response, status, body)),
    );
    await expect(api.plans()).rejects.toThrow(reason);
    expect(lines).toEqual([expect.stringMatching(reason)]);
    expect(lines[0]).not.toContain('\n');
  });

  test('an API that never answers fails in time', async () => {
    const { api, lines } = apiAt(await startPlanServer(() => {}), 50);
    await expect(api.plans()).rejects.toThrow(/timeout/i);
    expect(lines).toHaveLength(1);
  });
});

describe('sign-ups', () => {
  test('a refusal has the first message of each field', async () => {
    const { api } = apiAt(
      await startPlanServer((_request, response) =>
        sendJson(response, 422, {
          type: 'about:blank',
          title: 'Unprocessable Content',
          status: 422,
          errors: [
            { field: 'email', message: 'First.' },
            { field: 'email', message: 'Second.' },
            { field: 'shoeSize', message: 'Not known.' },
          ],
        }),
      ),
    );
    expect(await api.signUp(form)).toEqual({
      kind: 'refused',
      errors: { email: 'First.', form: 'Not known.' },
    });
  });

  test('a problem without fields is about the form', async () => {
    const problem = {
      type: 'about:blank',
      title: 'Conflict',
      status: 409,
      detail: 'Try a new one.',
    };
    const { api } = apiAt(
      await startPlanServer((_request, response) => sendJson(response, 409, problem)),
    );
    expect(await api.signUp(form)).toEqual({ kind: 'refused', errors: { form: 'Try a new one.' } });
  });

  test.each([
    ['a failure', 503, { type: 'about:blank', title: 'Down', status: 503 }],
    ['a welcome without a name', 201, { id: '1' }],
  ])('%s is an outage', async (_name, status, body) => {
    const { api, lines } = apiAt(
      await startPlanServer((_request, response) => sendJson(response, status, body)),
    );
    expect(await api.signUp(form)).toEqual({ kind: 'unavailable' });
    expect(lines).toHaveLength(1);
  });
});
