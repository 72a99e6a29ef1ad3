import { expect, test } from 'vitest';
import { passedOn } from './passed-on.ts';

test('who a visitor is goes along, and nothing else of the request does', () => {
  const request = new Headers({
    'X-Request-Id': '01a2074a-3d37-7b61-910c-817a158874cd',
    'X-Turnout-Visitor': 'UlZT-mwjtShIKgGnrqENkg',
    'X-Turnout-Assignments': 'home-redesign=A',
    Cookie: 'turnout=1.x',
    'Content-Type': 'multipart/form-data',
  });
  expect(passedOn(request)).toEqual({
    'x-request-id': '01a2074a-3d37-7b61-910c-817a158874cd',
    'x-turnout-visitor': 'UlZT-mwjtShIKgGnrqENkg',
    'x-turnout-assignments': 'home-redesign=A',
  });
});

test('a visit that is not counted has no visitor to name', () => {
  expect(passedOn(new Headers({ Host: 'localhost' }))).toEqual({});
});
