import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Change } from '@turnout/contracts/management';
import { expect, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { startApi } from './api-process.ts';
import type { ApiProcess, ApiProcessOptions } from './api-process.ts';
import type { DatabaseKind } from './databases.ts';
import { experimentDocument } from './experiment-documents.ts';
import { TOKEN_ENVIRONMENT, manage } from './management-client.ts';

const UPSTREAMS = {
  wordpress: { url: 'http://127.0.0.1:4003' },
  next: { url: 'http://127.0.0.1:4001' },
  vue: { url: 'http://127.0.0.1:4002' },
};
/** What cookies and preview links are signed with. */
export const SECRET = 'sixteen-or-more-characters';

interface Started {
  readonly url: string;
  readonly api: ApiProcess;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The API on an empty database, with a turnout.yaml of its own. */
export async function startManaged(
  kind?: DatabaseKind,
  {
    config = {},
    ...options
  }: ApiProcessOptions & { config?: Readonly<Record<string, unknown>> } = {},
): Promise<Started> {
  const location = kind && (await kind.fresh());
  const dataFolder = location?.dataFolder ?? (await makeFolder(options.until ?? onTestFinished));
  const file = join(dataFolder, 'turnout.yaml');
  await writeFile(
    file,
    stringify({
      public: { url: 'https://shop.example' },
      upstreams: UPSTREAMS,
      default: 'wordpress',
      ...config,
    }),
  );
  const environment = {
    ...TOKEN_ENVIRONMENT,
    TURNOUT_CONFIG: file,
    TURNOUT_DATA_DIR: dataFolder,
    TURNOUT_MYSQL_URL: location?.mysqlUrl,
    TURNOUT_COOKIE_SECRETS: SECRET,
  };
  const api = startApi(environment, options);
  return { url: await api.url, api, environment };
}

/** Creates an experiment with these changes of the usual document. */
export async function create(url: string, changes: Readonly<Record<string, unknown>> = {}) {
  const document = experimentDocument(changes);
  const answer = await manage<Change>(url, 'POST /experiments', { document, reason: 'begin' });
  expect(answer.body.action).toBe('create');
  return answer;
}

let number = 0;
/** A key that no other test has. */
export const newKey = () => `e${++number}`;

/** A change of weights. */
export const weights = (control: number, A: number) => ({
  weights: { control, A },
  reason: 'shift',
});
async function makeFolder(until: (end: () => Promise<void>) => void): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'turnout-api-'));
  until(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
