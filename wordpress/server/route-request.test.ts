import { describe, expect, test } from 'vitest';
import { routeRequest } from './route-request.ts';

describe('routeRequest', () => {
  test.each([
    ['/', '/index.php'],
    ['/plans/soar?x=1', '/index.php'],
    ['/wordpress/', '/index.php'],
    ['/wordpress/wp-admin/', '/index.php'],
    ['/wp-login.php?action=logout', '/wp-login.php'],
    ['/wp-admin/', '/wp-admin/index.php'],
    ['/wp-admin/network/', '/wp-admin/network/index.php'],
    ['/wp-admin/load-scripts.php?c=1', '/wp-admin/load-scripts.php'],
    ['//wp-admin//themes.php', '/wp-admin/themes.php'],
    ['/wp-json/wp/v2/posts', '/index.php'],
  ])('%s runs %s', (target, script) => {
    expect(routeRequest(target)).toEqual({ kind: 'script', script });
  });

  // WordPress answers these with its own 404 page.
  test.each([
    '/xmlrpc.php',
    '/wp-cron.php',
    '/wp-config.php',
    '/wp-content/db.php',
    '/wp-content/plugins/turnout/turnout.php',
    '/wp-includes/version.php',
    '/wp-content/themes/tern-mobile/functions%2Ephp',
    '/wp-admin/../wp-config.php/',
    '/install.php',
  ])('%s is never run or shown', (target) => {
    const destination = routeRequest(target);
    expect([
      { kind: 'script', script: '/index.php' },
      { kind: 'refused', status: 400 },
    ]).toContainEqual(destination);
  });

  test.each([
    [
      '/wp-includes/js/jquery/jquery.min.js?ver=3.7',
      'site',
      '/wp-includes/js/jquery/jquery.min.js',
    ],
    ['/wp-content/uploads/2026/11/a%20b.png', 'site', '/wp-content/uploads/2026/11/a%20b.png'],
    ['/wp-content/themes/tern-mobile/style.css?ver=1', 'theme', '/style.css'],
    ['/wp-content/plugins/turnout/readme.txt', 'plugin', '/readme.txt'],
    ['/wp-admin/css/login.min.css', 'site', '/wp-admin/css/login.min.css'],
  ])('%s is a file of the %s', (target, root, path) => {
    expect(routeRequest(target)).toEqual({ kind: 'file', root, path });
  });

  test.each([
    '/wp-content/database/site.sqlite',
    '/wp-content/debug.log',
    '/wp-content/uploads/x.php5',
    '/wp-content/uploads/x.phar',
    '/wp-includes/.htaccess',
    '/wp-content/uploads/x.html',
    '/wp-content/uploads',
  ])('%s is no file to show', (target) => {
    expect(routeRequest(target)).toEqual({ kind: 'refused', status: 404 });
  });

  test.each([
    '/wp-content/../wp-config.php',
    '/wp-content/%2e%2e/%2e%2e/etc/passwd.txt',
    '/wp-content/..%2f..%2fsecret.txt',
    '/wp-content/..%5c..%5csecret.txt',
    '/wp-content/uploads/a%00.png',
    '/wp-content/%E0%A4%A.png',
    '*',
    'http://evil.example/',
    '',
  ])('the target %j is refused', (target) => {
    expect(routeRequest(target)).toEqual({ kind: 'refused', status: 400 });
  });

  test('folders of the dashboard get their slash, with the query kept', () => {
    expect(routeRequest('/wp-admin?a=1')).toEqual({ kind: 'redirect', location: '/wp-admin/?a=1' });
    expect(routeRequest('/wp-admin/network')).toEqual({
      kind: 'redirect',
      location: '/wp-admin/network/',
    });
  });

  test('health has its own path', () => {
    expect(routeRequest('/_turnout/healthz')).toEqual({ kind: 'health' });
  });
});
