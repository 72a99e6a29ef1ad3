import { expect, test } from 'vitest';
import { isAnswerHeader, phpRequestHeaders } from './php-backend.ts';

test('PHP gets the request headers, duplicates joined', () => {
  expect(
    phpRequestHeaders({
      host: ['localhost:8080'],
      cookie: ['a=1', 'b=2'],
      accept: ['text/html', '*/*'],
      'x-forwarded-host': ['localhost:8080'],
    }),
  ).toEqual({
    host: 'localhost:8080',
    cookie: 'a=1; b=2',
    accept: 'text/html, */*',
    'x-forwarded-host': 'localhost:8080',
  });
});

test.each(['proxy', 'x_forwarded_host', 'x-turnout-script', 'connection', 'content-length', 'x.y'])(
  'the request header %s does not reach PHP',
  (name) => {
    expect(phpRequestHeaders({ [name]: ['1'] })).toEqual({});
  },
);

test('headers of the connection to PHP are not the answer’s', () => {
  expect(
    ['set-cookie', 'Location', 'Transfer-Encoding', 'X-Powered-By'].filter(isAnswerHeader),
  ).toEqual(['set-cookie', 'Location']);
});
