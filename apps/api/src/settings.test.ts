import { isAbsolute } from 'node:path';
import { expect, test } from 'vitest';
import { readSettings } from './settings.ts';

const noFile = () => undefined;

test('an empty environment listens on loopback, port 4000, with data in the repository', () => {
  const settings = readSettings({}, noFile);
  expect(settings).toMatchObject({
    host: '127.0.0.1',
    port: 4000,
    portVariable: 'TURNOUT_API_PORT',
    mysqlUrl: undefined,
    logLevel: 'info',
  });
  expect(settings.dataFolder).toMatch(/\.turnout$/);
  expect(isAbsolute(settings.dataFolder)).toBe(true);
});

test('PORT comes before TURNOUT_API_PORT, and empty counts as unset', () => {
  expect(readSettings({ PORT: '1', TURNOUT_API_PORT: '2' }, noFile)).toMatchObject({
    port: 1,
    portVariable: 'PORT',
  });
  expect(readSettings({ PORT: '', TURNOUT_API_PORT: '2' }, noFile)).toMatchObject({
    port: 2,
    portVariable: 'TURNOUT_API_PORT',
  });
});

test.each(['-1', '65536', '4000x', '0x10', ' 4000', '1e3', '99999'])('refuses port %j', (port) => {
  expect(() => readSettings({ PORT: port }, noFile)).toThrow(
    `PORT must be a port from 0 to 65535, got "${port}".`,
  );
});

test.each([
  'localhost',
  'postgres://u:secret@h/d',
  'mysql://',
  'mysql://u:secret@h',
  'mysql://u:secret@h/',
  'mysql://u:secret@h/a/b',
  'mysql://u:secret@h:port/d',
])('refuses the database URL %j without repeating its password', (url) => {
  expect(() => readSettings({ TURNOUT_MYSQL_URL: url }, noFile)).toThrow(
    /^TURNOUT_MYSQL_URL must look like mysql:\/\/user:password@host:3306\/database\.$/,
  );
});

test('names all problems at once', () => {
  expect(() => readSettings({ PORT: 'x', TURNOUT_MYSQL_URL: 'y', LOG_LEVEL: 'z' }, noFile)).toThrow(
    /PORT .* TURNOUT_MYSQL_URL .* LOG_LEVEL/,
  );
});
