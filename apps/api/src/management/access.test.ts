import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startApi } from '../testing/api-process.ts';
import { temporaryFolders } from '../testing/databases.ts';
import { experimentDocument } from '../testing/experiment-documents.ts';
import { TOKENS, TOKEN_ENVIRONMENT, manage } from '../testing/management-client.ts';
import type { ManagementProblem } from '../testing/management-client.ts';

const folders = temporaryFolders();
const VISITOR = 'AAAAAAAAAAAAAAAAAAAAAA';

/** Every endpoint but the schema, with the role that it needs. */
const ENDPOINTS: readonly (readonly [request: string, body: object | undefined, role: string])[] = [
  ['GET /experiments', undefined, 'viewer'],
  ['GET /experiments/home-redesign', undefined, 'viewer'],
  ['GET /experiments/home-redesign/history', undefined, 'viewer'],
  ['GET /experiments/home-redesign/results', undefined, 'viewer'],
  [`GET /visitors/${VISITOR}`, undefined, 'viewer'],
  ['POST /experiments', {}, 'editor'],
  ['PUT /experiments/home-redesign', {}, 'editor'],
  ['POST /experiments/home-redesign/allocation', {}, 'editor'],
  ['POST /experiments/home-redesign/status', {}, 'editor'],
  ['POST /experiments/home-redesign/revert', {}, 'editor'],
  ['POST /experiments/home-redesign/preview', {}, 'editor'],
  ['POST /apply', {}, 'editor'],
  ['GET /audit', undefined, 'admin'],
  [`PUT /visitors/${VISITOR}/assignments/home-redesign`, {}, 'admin'],
  [`DELETE /visitors/${VISITOR}`, undefined, 'admin'],
];
const ROLES = ['viewer', 'editor', 'admin'] as const;

test('docs/api.md names the same endpoints and roles', async () => {
  const text = await readFile(new URL('../../../../docs/api.md', import.meta.url), 'utf8');
  const documented = [...text.matchAll(/^\| `([A-Z]+) \/v1(\/\S+)` +\| (\w+) /gm)].map(
    ([, method = '', path = '', role = '']) => `${method} ${path} ${role}`,
  );
  const tested = ENDPOINTS.map(([what, , role]) => {
    const key = what.includes('visitors') ? ':experiment' : ':key';
    return `${what.replace('home-redesign', key).replace(VISITOR, ':visitor')} ${role}`;
  });
  expect(new Set(documented)).toEqual(new Set(tested));
});

test('each endpoint lets in those whose role it needs, and nobody else', async () => {
  const url = await startApi(TOKEN_ENVIRONMENT).url;
  for (const [what, body, role] of ENDPOINTS) {
    for (const token of ['', 'x'.repeat(20), `${TOKENS.admin}x`, TOKENS.admin.slice(1)]) {
      const { status, headers } = await manage(url, what, body, { token });
      expect([what, token, status]).toEqual([what, token, 401]);
      expect(headers.get('WWW-Authenticate')).toMatch(/^Bearer realm="turnout"/);
    }
    for (const holder of ROLES) {
      const mayDo = ROLES.indexOf(holder) >= ROLES.findIndex((one) => one === role);
      const answer = await manage<ManagementProblem>(url, what, body, { token: TOKENS[holder] });
      // With an empty body nothing is done: 422 is the answer to those who may.
      const allowed = body === undefined ? 200 : 422;
      expect([what, holder, answer.status]).toEqual([what, holder, mayDo ? allowed : 403]);
      expect(answer.body.detail?.includes(`needs the role ${role}`) ?? false).toBe(!mayDo);
    }
  }
  // Nor does it say what there is to those who may not know.
  for (const what of ['GET /nothing', 'GET /', 'PUT /experiments', 'OPTIONS /experiments']) {
    expect((await manage(url, what, undefined, { token: '' })).status).toBe(401);
  }
});

test('other schemes, other places and other spellings are no token', async () => {
  const url = await startApi(TOKEN_ENVIRONMENT).url;
  const status = async (path: string, headers: Record<string, string>) =>
    (await fetch(`${url}${path}`, { headers })).status;
  const basic = Buffer.from(`admin:${TOKENS.admin}`).toString('base64');
  expect(await status('/v1/experiments', { Authorization: `Basic ${basic}` })).toBe(401);
  expect(await status('/v1/experiments', { Authorization: TOKENS.admin })).toBe(401);
  expect(await status('/v1/experiments', { Authorization: `Bearer ${TOKENS.admin} x` })).toBe(401);
  expect(await status('/v1/experiments', { Cookie: `token=${TOKENS.admin}` })).toBe(401);
  expect(await status(`/v1/experiments?access_token=${TOKENS.admin}`, {})).toBe(401);
  // The scheme's case does not matter (RFC 9110, 11.1).
  expect(await status('/v1/experiments', { Authorization: `bearer ${TOKENS.admin}` })).toBe(200);
  // Whatever another spelling of the path comes to, it does not get around the token.
  for (const path of [
    '/V1/experiments',
    '//v1/experiments',
    '/v1//experiments',
    '/%761/experiments',
    '/api/../v1/experiments',
    '/v1/experiments/',
  ]) {
    expect([401, 404]).toContain(await rawStatus(url, path, {}));
  }
});

test('what came through an edge finds nothing, whatever its token', async () => {
  const api = startApi(TOKEN_ENVIRONMENT);
  const url = await api.url;
  const authorization = { Authorization: `Bearer ${TOKENS.admin}` };
  for (const field of [
    { Forwarded: 'for=203.0.113.7;host=shop.example;proto=http' },
    { 'X-Turnout-Visitor': VISITOR },
    { 'X-Turnout-Assignments': 'home=A' },
  ]) {
    for (const path of ['/v1/experiments', '/v1/schema/experiment.json', '/V1/experiments']) {
      expect(await rawStatus(url, path, { ...authorization, ...field })).toBe(404);
    }
  }
  await api.logged(/came through an edge, and got 404\. Take the route/);
});

test('without a token managing is off, and says how to switch it on', async () => {
  const api = startApi({});
  const url = await api.url;
  const { status, body } = await manage<ManagementProblem>(url, 'GET /experiments');
  expect(status).toBe(503);
  expect(body.detail).toContain('TURNOUT_ADMIN_TOKEN');
  await api.logged(/no token is set: start with TURNOUT_ADMIN_TOKEN/);
  expect((await fetch(`${url}/api/plans`)).status).toBe(200);
});

test('the data folder’s admin token counts where none is given', async () => {
  const TURNOUT_DATA_DIR = await folders.make();
  const secrets = { cookieSecrets: ['x'.repeat(20)], adminToken: 'kept-in-the-data-folder' };
  await writeFile(join(TURNOUT_DATA_DIR, 'secrets.json'), JSON.stringify(secrets));
  const kept = await startApi({ TURNOUT_DATA_DIR }).url;
  const token = secrets.adminToken;
  expect((await manage(kept, 'GET /audit', undefined, { token })).status).toBe(200);
  const given = await startApi({ TURNOUT_DATA_DIR, TURNOUT_ADMIN_TOKEN: TOKENS.admin }).url;
  expect((await manage(given, 'GET /audit', undefined, { token })).status).toBe(401);
  expect((await manage(given, 'GET /audit')).status).toBe(200);
});

test('every problem of the tokens is told at the start, and no token', async () => {
  const api = startApi({
    TURNOUT_ADMIN_TOKEN: 'tooshort',
    TURNOUT_API_TOKENS: `ada:owner:${TOKENS.editor},bob:viewer:secret`,
  });
  const { code, messages } = await api.ended;
  expect(code).toBe(1);
  expect(messages).toEqual([
    'TURNOUT_ADMIN_TOKEN: expected a token of at least 16 characters, got 8. ' +
      'TURNOUT_API_TOKENS, entry 1: expected name:role:token with a role of viewer, editor, admin. ' +
      'TURNOUT_API_TOKENS, entry 2 ("bob"): expected a token of at least 16 characters, got 6.',
  ]);
});

test('the log does not hold visitor ids', async () => {
  const api = startApi(TOKEN_ENVIRONMENT);
  const url = await api.url;
  await manage(url, `GET /visitors/${VISITOR}`);
  await manage(url, `DELETE /visitors/${VISITOR}`);
  await manage(url, 'POST /experiments', { document: experimentDocument(), reason: 'x' });
  api.kill('SIGTERM');
  await api.ended;
  expect(api.lines.join('\n')).toContain('/v1/visitors/…');
  expect(api.lines.join('\n')).not.toContain(VISITOR);
  expect(api.lines.join('\n')).not.toContain(TOKENS.admin);
});

/** The status of a request whose path is sent as it is written. */
function rawStatus(url: string, path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    request({ hostname, port, path, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}
