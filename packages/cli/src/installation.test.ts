import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Installation } from './installation.ts';

let folder: string;
let config: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'turnout-installation-'));
  config = join(folder, 'turnout.yaml');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Files of the data folder, under the name that it has by `dataDir`. */
function keep(dataDir: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(join(folder, dataDir), { recursive: true });
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(folder, dataDir, name), text);
}

function found(
  options: { readonly api?: string; readonly token?: string; readonly edge?: string },
  env: Readonly<Record<string, string>>,
): Installation {
  return new Installation({ config, ...options }, env);
}

test('a configuration that is not YAML is told by its name', async () => {
  writeFileSync(config, 'dataDir: [');
  await expect(found({}, {}).apiUrl()).rejects.toMatchObject({
    name: 'CommandError',
    message: expect.stringContaining(`${config} is not YAML: `),
    exitCode: 2,
  });
});

describe('the API', () => {
  test('option, environment, data folder, usual address: in this order', async () => {
    const env = { TURNOUT_API_URL: 'http://env:1/' };
    expect(await found({}, {}).apiUrl()).toBe('http://127.0.0.1:4000');
    keep('.turnout', { 'api.json': '{"url":"http://127.0.0.1:4567"}' });
    expect(await found({}, {}).apiUrl()).toBe('http://127.0.0.1:4567');
    expect(await found({}, { TURNOUT_API_URL: '' }).apiUrl()).toBe('http://127.0.0.1:4567');
    expect(await found({}, env).apiUrl()).toBe('http://env:1');
    expect(await found({ api: 'http://option:2' }, env).apiUrl()).toBe('http://option:2');
  });

  test('the data folder is relative to the configuration, as for the edge', async () => {
    keep('kept', { 'api.json': '{"url":"http://kept:1"}' });
    keep('other', { 'api.json': '{"url":"http://other:1"}' });
    writeFileSync(config, 'dataDir: kept\nupstreams: { broken: "but not our matter" }\n');
    expect(await found({}, {}).apiUrl()).toBe('http://kept:1');
    const env = { TURNOUT_DATA_DIR: 'other' };
    expect(await found({}, env).apiUrl()).toBe('http://other:1');
  });

  test('an address that is none, and a file that is damaged', async () => {
    await expect(found({ api: 'localhost' }, {}).apiUrl()).rejects.toThrow(
      'Expected an address such as http://127.0.0.1:4000 as --api or TURNOUT_API_URL, got "localhost".',
    );
    keep('.turnout', { 'api.json': '{' });
    await expect(found({}, {}).apiUrl()).rejects.toThrow('is not JSON');
  });
});

test('the token: option, environment, data folder', async () => {
  const all = { TURNOUT_TOKEN: 'mine', TURNOUT_ADMIN_TOKEN: 'admin' };
  expect(await found({}, {}).token()).toBeUndefined();
  keep('.turnout', { 'secrets.json': '{"adminToken":"kept","cookieSecrets":[]}' });
  expect(await found({}, {}).token()).toBe('kept');
  expect(await found({}, { TURNOUT_ADMIN_TOKEN: 'admin' }).token()).toBe('admin');
  expect(await found({}, all).token()).toBe('mine');
  expect(await found({ token: 'option' }, all).token()).toBe('option');
});

describe("the edge's private port", () => {
  test('option, environment, configuration: in this order', async () => {
    expect(await found({}, {}).edgeUrl()).toBe('http://127.0.0.1:8090');
    writeFileSync(config, 'private: { port: 9, address: "::1" }');
    expect(await found({}, {}).edgeUrl()).toBe('http://[::1]:9');
    expect(await found({}, { TURNOUT_PRIVATE_PORT: '10' }).edgeUrl()).toBe('http://[::1]:10');
    expect(await found({}, { TURNOUT_PRIVATE_URL: 'http://env:1' }).edgeUrl()).toBe('http://env:1');
    expect(
      await found({ edge: 'http://o:1' }, { TURNOUT_PRIVATE_URL: 'http://env:1' }).edgeUrl(),
    ).toBe('http://o:1');
  });

  test('every address of the machine is none to connect to', async () => {
    writeFileSync(config, 'private: { address: 0.0.0.0 }');
    expect(await found({}, {}).edgeUrl()).toBe('http://127.0.0.1:8090');
  });

  test('a port that the system chooses is not known', async () => {
    writeFileSync(config, 'private: { port: 0 }');
    await expect(found({}, {}).edgeUrl()).rejects.toThrow(
      `as private in ${config}, got "http://127.0.0.1:0"`,
    );
  });
});
