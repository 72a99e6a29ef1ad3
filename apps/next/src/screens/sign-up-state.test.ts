import { describe, expect, test } from 'vitest';
import { blankForm, postedValues, refusedForm, unansweredForm } from './sign-up-state.ts';

const typed = { name: 'Ada', email: 'ada@', plan: 'soar' };
const problem = { type: 'about:blank', title: 'Unprocessable', status: 422 };

describe('postedValues', () => {
  test('reads the three fields, and no others', () => {
    const form = new FormData();
    form.set('name', ' Ada ');
    form.set('email', 'ada@example.org');
    form.set('plan', 'soar');
    form.set('admin', 'yes');
    expect(postedValues(form)).toEqual({ name: ' Ada ', email: 'ada@example.org', plan: 'soar' });
  });

  test('a missing field, or a file in its place, is empty', () => {
    const form = new FormData();
    form.set('name', new File(['x'], 'x.txt'));
    expect(postedValues(form)).toEqual({ name: '', email: '', plan: '' });
  });
});

describe('refusedForm', () => {
  test('keeps what was typed and sorts the reasons to their fields, the first of each', () => {
    const errors = [
      { field: 'email', message: 'Enter an email address.' },
      { field: 'email', message: 'Too short.' },
      { field: 'name', message: 'Tell us your name.' },
    ];
    expect(refusedForm(typed, { ...problem, errors })).toEqual({
      kind: 'form',
      values: typed,
      errors: { email: 'Enter an email address.', name: 'Tell us your name.' },
    });
  });

  test('a reason for a field we do not have is told above the form', () => {
    const errors = [{ field: 'country', message: 'Not sold there.' }];
    expect(refusedForm(typed, { ...problem, errors })).toMatchObject({
      errors: {},
      message: 'Not sold there.',
    });
  });

  test('a problem without reasons still says something', () => {
    expect(refusedForm(typed, problem)).toMatchObject({ message: 'Unprocessable' });
    expect(refusedForm(typed, { ...problem, detail: 'Sold out.' })).toMatchObject({
      message: 'Sold out.',
    });
  });
});

test('an unanswered form keeps what was typed', () => {
  expect(unansweredForm(typed)).toMatchObject({ kind: 'form', values: typed });
});

test('a blank form has the plan that the visitor came for', () => {
  expect(blankForm('soar')).toMatchObject({ values: { name: '', email: '', plan: 'soar' } });
});
