import { describe, expect, test } from 'vitest';
import { locatePage } from './page-path.ts';

describe('locatePage', () => {
  test.each([
    ['/', '/', '/', '/'],
    ['/plans/soar?x=1', '/', '/plans/soar?x=1', '/plans/soar'],
    ['/vue', '/vue/', '/', '/'],
    ['/vue/', '/vue/', '/', '/'],
    ['/vue?plan=soar', '/vue/', '/?plan=soar', '/'],
    ['/vue/sign-up?plan=soar', '/vue/', '/sign-up?plan=soar', '/sign-up'],
    ['/vue//x', '/vue/', '//x', '//x'],
    ['/vuex', '/', '/vuex', '/vuex'],
    ['/plans?back=/vue/', '/', '/plans?back=/vue/', '/plans'],
    ['/%E0%A4%A', '/', '/%E0%A4%A', '/%E0%A4%A'],
  ])('%s', (target, base, path, pathname) => {
    expect(locatePage(target)).toEqual({ base, path, pathname });
  });

  test.each(['', '*', 'http://host/plans', 'host:443', '?x'])('%j is no path', (target) => {
    expect(locatePage(target)).toBeNull();
  });
});
