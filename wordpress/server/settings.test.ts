import { describe, expect, test } from 'vitest';
import { readSettings, SettingsError } from './settings.ts';

describe('readSettings', () => {
  test('has a default for everything', () => {
    expect(readSettings({}, '/repo')).toEqual({
      host: '127.0.0.1',
      port: 4003,
      dataDir: '/repo/.turnout',
      apiUrl: 'http://127.0.0.1:4000',
      edgeUrl: 'http://127.0.0.1:8080',
      php: { kind: 'embedded' },
    });
  });

  test('reads an interpreter with its database, percent-encoding in the password undone', () => {
    const settings = readSettings(
      {
        TURNOUT_WORDPRESS_PHP: '/usr/bin/php',
        TURNOUT_WORDPRESS_MYSQL_URL: 'mysql://shop:p%3Aw%2Fd@127.0.0.1:3307/tern',
      },
      '/repo',
    );
    expect(settings.php).toEqual({
      kind: 'interpreter',
      binary: '/usr/bin/php',
      database: { address: '127.0.0.1:3307', user: 'shop', password: 'p:w/d', name: 'tern' },
    });
  });

  test('an absolute data folder stays where it is', () => {
    expect(readSettings({ TURNOUT_DATA_DIR: '/data' }, '/repo').dataDir).toBe('/data');
  });

  test('names every problem at once', () => {
    const env = {
      PORT: '80a',
      TURNOUT_API_URL: 'ftp://x',
      TURNOUT_EDGE_URL: 'edge',
      TURNOUT_WORDPRESS_MYSQL_URL: 'mysql://u:p@h/d',
    };
    const read = () => readSettings(env, '/repo');
    expect(read).toThrow(SettingsError);
    expect(read).toThrow(
      /PORT.*`80a`[\s\S]*TURNOUT_API_URL.*`ftp:\/\/x`[\s\S]*TURNOUT_EDGE_URL.*`edge`[\s\S]*needs TURNOUT_WORDPRESS_PHP/,
    );
  });

  test.each(['localhost/db', 'mysql://u:p@h/', 'mysql://u:p@h/a`b', 'mysql://u:%zz@h/db'])(
    'refuses the database URL %s without repeating it',
    (url) => {
      const read = () =>
        readSettings({ TURNOUT_WORDPRESS_PHP: 'php', TURNOUT_WORDPRESS_MYSQL_URL: url }, '/');
      expect(read).toThrow(/Expected TURNOUT_WORDPRESS_MYSQL_URL/);
      expect(read).not.toThrow(url);
    },
  );
});
