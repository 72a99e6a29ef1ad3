import { describe, expect, test } from 'vitest';
import { isCurrent, mountedPath } from './mount.ts';

describe('mountedPath', () => {
  test('at the root, paths are as they are', () => {
    expect(mountedPath('', '/')).toBe('/');
    expect(mountedPath('', '/plans/soar')).toBe('/plans/soar');
  });

  test('under a mount, home is the mount itself and the rest is below it', () => {
    expect(mountedPath('/next', '/')).toBe('/next');
    expect(mountedPath('/next', '/plans/soar')).toBe('/next/plans/soar');
    expect(mountedPath('/next', '/sign-up?plan=soar')).toBe('/next/sign-up?plan=soar');
  });
});

describe('isCurrent', () => {
  test('the page itself', () => {
    expect(isCurrent('/plans', '/plans', '/')).toBe('page');
    expect(isCurrent('/next', '/next', '/next')).toBe('page');
  });

  test('a page below belongs to the section', () => {
    expect(isCurrent('/next/plans/soar', '/next/plans', '/next')).toBe('section');
  });

  test('home is no section: every page is below it', () => {
    expect(isCurrent('/plans', '/', '/')).toBeUndefined();
    expect(isCurrent('/next/plans', '/next', '/next')).toBeUndefined();
  });

  test('a longer name is another page', () => {
    expect(isCurrent('/plans-old', '/plans', '/')).toBeUndefined();
  });
});
