import { expect, test } from 'vitest';
import { findings, html, startSite, troubles } from '../testing/site.ts';

async function examineCookies(control: readonly string[], next: readonly string[] = []) {
  await using site = await startSite({ control: setting(control), next: setting(next) });
  return await site.examine();
}

/** A home page that sets cookies. */
function setting(cookies: readonly string[]) {
  const { headers, body = '' } = html('');
  return { '/': { headers: { ...headers, 'Set-Cookie': cookies }, body } };
}

/** A cookie of so many bytes, name included. */
function big(name: string, size: number): string {
  return `${name}=${'x'.repeat(size - name.length - 1)}`;
}

const troublesOf = async (...cookies: Parameters<typeof examineCookies>) =>
  troubles(await examineCookies(...cookies), 'cookies');

test('a session of the same name in two upstreams', async () => {
  expect(
    await troublesOf(['sid=1; HttpOnly', 'theme=dark'], ['sid=2; HttpOnly', 'lang=en']),
  ).toMatchObject([
    { level: 'error', where: 'control /, next /', got: 'sid from control and next' },
  ]);
});

test('a name that scripts read, too, may be meant to be shared', async () => {
  expect(await troublesOf(['lang=en'], ['lang=de'])).toMatchObject([
    { level: 'warning', got: 'lang from control and next' },
  ]);
});

test.each(['turnout', '__Host-turnout', 'turnout-preview'])('our own name %s', async (name) => {
  expect(await troublesOf([], [`${name}=x`])).toMatchObject([
    { level: 'error', where: 'next /', got: `a cookie ${name}` },
  ]);
});

test('domains: wider than the host, the host itself, and another', async () => {
  expect(
    await troublesOf([
      'a=1; Domain=.example',
      'b=1; Domain=shop.example',
      'c=1; domain=other.example',
    ]),
  ).toMatchObject([
    { level: 'warning', got: 'Domain=.example for a' },
    { level: 'error', got: 'Domain=other.example for c' },
  ]);
});

test('sizes: of one cookie, and of all together with ours', async () => {
  expect(await troublesOf([big('a', 4_097)])).toMatchObject([
    { level: 'error', got: 'a with 4097 bytes' },
    { level: 'warning', where: 'cookies', expected: 'a Cookie header of at most 4096 bytes' },
  ]);
  expect(await troublesOf([big('a', 4_096)], [big('b', 4_096)])).toMatchObject([
    {
      level: 'error',
      where: 'cookies',
      got: expect.stringMatching(/^2 set \(a, b\), 82\d\d bytes/),
    },
  ]);
  // 22 characters of id, 22 of signature, home:control:1 between dots, and the name.
  const ours = '__Host-turnout=1.'.length + 22 + 1 + 'home:control:1'.length + 1 + 22;
  expect(findings(await examineCookies([big('a', 1_000)]), 'cookies')).toEqual([
    {
      level: 'ok',
      where: 'cookies',
      got: `1 set (a), ${1_000 + 2 + ours} bytes with the visitor cookie at its largest`,
    },
  ]);
});
