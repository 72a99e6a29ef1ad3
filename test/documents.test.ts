import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { runInNewContext } from 'node:vm';
import { configSchema, predicateSchema, readConfig } from '@turnout/contracts';
import { reportSchema } from '@turnout/contracts/event';
import { rampRequestSchema } from '@turnout/contracts/ramp';
import { predicateProblems } from '@turnout/router-core';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { createTurnout } from '../packages/client/src/turnout.ts';
import { parseSteps } from '../packages/cli/src/ramp-steps.ts';

const root = resolve(import.meta.dirname, '..');
const read = (file: string) => readFileSync(resolve(root, file), 'utf8');
const manifest: { scripts: Record<string, string> } = JSON.parse(read('package.json'));

/** Scripts that npm has of its own. */
const NPM_COMMANDS = new Set(['start', 'test']);

const DOCUMENTS = [
  'README.md',
  'ARCHITECTURE.md',
  'GLOSSARY.md',
  'CHANGELOG.md',
  ...readdirSync(resolve(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

describe.each(DOCUMENTS)('%s', (document) => {
  const text = read(document);

  test('links lead somewhere', () => {
    const targets = [...text.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, target = '']) => target);
    const broken = targets.filter(
      (target) =>
        !target.startsWith('http') && !existsSync(resolve(root, dirname(document), target)),
    );
    expect(broken).toEqual([]);
  });

  test('commands that it names are there', () => {
    const npm = [...text.matchAll(/\bnpm (?:run (?:-s )?)?([a-z]+)/g)].map(([, name = '']) => name);
    const pnpm = [...text.matchAll(/\bpnpm (?:run )?([a-z]+)(?= |`|$)/gm)].map(
      ([, name = '']) => name,
    );
    const missing = [...npm, ...pnpm].filter(
      (name) => !NPM_COMMANDS.has(name) && manifest.scripts[name] === undefined,
    );
    expect(missing).toEqual([]);
  });

  test('configurations in it are valid', () => {
    for (const [, yaml = ''] of text.matchAll(/```yaml\n([\s\S]*?)```/g)) {
      expect(() => readConfig(yaml, document)).not.toThrow();
    }
  });
});

describe('docs/ramp.md', () => {
  const text = read('docs/ramp.md');

  test('shows a request that the API takes', () => {
    const [, body = ''] = /-d '([^']+)'/.exec(text) ?? [];
    expect(rampRequestSchema.safeParse(JSON.parse(body)).error).toBeUndefined();
  });

  test('shows steps that the command line takes', () => {
    const [, steps = ''] = /turnout ramp [a-z-]+ (\d+%.*?) --/.exec(text) ?? [];
    expect(parseSteps(steps.split(' ')).map(({ coverage }) => coverage)).toEqual([
      100, 500, 2_000, 10_000,
    ]);
  });

  test('names every gate with its default', () => {
    const request = { steps: [{ coverage: 1 }], revision: 1, reason: 'defaults' };
    const { gates } = rampRequestSchema.parse(request);
    const rows = text.matchAll(/^\| `(\w+)` +\| ([\d.]+) +\|/gm);
    const documented = [...rows].map(([, gate, value]) => [gate, Number(value)]);
    expect(Object.fromEntries(documented)).toEqual(gates);
  });
});

describe('docs/conversions.md', () => {
  const text = read('docs/conversions.md');
  const examples = (language: string) =>
    [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
      ([, code = '']) => code,
    );

  test('posts a report that the edge takes', () => {
    const [body = ''] = examples('sh').map((code) => /-d '([^']+)'/.exec(code)?.[1] ?? '');
    expect(reportSchema.safeParse(JSON.parse(body)).error).toBeUndefined();
  });

  test('calls what the client script has, and no more', () => {
    const reports: unknown[] = [];
    const add = (_id: string, report: string) => {
      reports.push(...reportSchema.parse(JSON.parse(report)).events);
    };
    const { leave, ...turnout } = createTurnout(add, {}, randomUUID, Date.now, () => undefined);
    const scripts = [...examples('js'), ...examples('ts')]
      .map((code) => code.replaceAll(/^import .*$/gm, ''))
      .filter((code) => code.includes('turnout.'));
    expect(scripts.length).toBe(2);
    for (const code of scripts) runInNewContext(code, { turnout });
    leave();
    expect(reports).toMatchObject([
      { metric: 'signup', did_convert: true, value: 18 },
      { metric: 'signup', did_convert: true, value: 18 },
    ]);
    const called = [...text.matchAll(/^\| `turnout\.(\w+)\(/gm)].map(([, name]) => name);
    expect(new Set(called)).toEqual(new Set(Object.keys(turnout)));
  });

  test('writes the script tag as the script reads it', () => {
    const [tag = ''] = examples('html');
    const source = read('packages/client/src/script.ts');
    for (const [, name = ''] of [
      ...tag.matchAll(/data-(\w+)=/g),
      ...text.matchAll(/`data-(\w+)`/g),
    ])
      expect(source).toContain(`'${name}'`);
    expect(tag).toContain('src="/_turnout/client.js"');
  });
});

test('docs/configuration.md names every key of the configuration, and no other', () => {
  const documented = [...read('docs/configuration.md').matchAll(/^\| `([^|]+)` +\|.*\|.*\|$/gm)]
    .map(([, cell = '']) => cell)
    .flatMap((cell) => {
      const [first = '', ...others] = cell.split('`, `');
      return [first, ...others.map((other) => first.replace(/\.\w+$/, other))];
    });
  expect(documented.toSorted()).toEqual(
    keysOf(z.toJSONSchema(configSchema, { io: 'input' })).toSorted(),
  );
});

test('docs/configuration.md has a valid example of every rule', () => {
  const rows = [...read('docs/configuration.md').matchAll(/^\| (\w+) +\| `(\{.*?\})` +\|/gm)];
  const examples = rows.map(([, kind = '', example = '']) => ({ kind, rule: parse(example) }));
  for (const { kind, rule } of examples) {
    expect(Object.keys(rule)).toEqual([kind]);
    expect(predicateSchema.safeParse(rule).error).toBeUndefined();
    expect(predicateProblems(rule)).toEqual([]);
  }
  expect(examples.map(({ kind }) => kind).join(', ')).toBe(
    'path, host, method, header, cookie, query, language, device, country, bot, all, any, not',
  );
});

/** The leaves of a JSON Schema, such as `upstreams.<name>.url` and `routes[].path`. */
function keysOf(schema: z.core.JSONSchema._JSONSchema, path = ''): string[] {
  if (typeof schema === 'boolean') return [path];
  if (path.endsWith('.audience')) return [path];
  if (schema.properties !== undefined) {
    return Object.entries(schema.properties).flatMap(([key, value]) =>
      keysOf(value, path === '' ? key : `${path}.${key}`),
    );
  }
  const { additionalProperties: values, items } = schema;
  if (typeof values === 'object') return keysOf(values, `${path}.<name>`);
  const item = Array.isArray(items) ? undefined : items;
  if (typeof item === 'object' && item.properties !== undefined) return keysOf(item, `${path}[]`);
  return [path];
}

test('the README shows two configurations, and turnout.yaml is valid', () => {
  expect([...read('README.md').matchAll(/```yaml\n/g)]).toHaveLength(2);
  const config = readConfig(read('turnout.yaml'), 'turnout.yaml');
  const weights = config.experiments?.[0]?.variants.map(({ key, upstream, weight }) => [
    key,
    upstream,
    weight,
  ]);
  expect(weights).toEqual([
    ['control', 'wordpress', 50],
    ['A', 'next', 20],
    ['B', 'vue', 30],
  ]);
});
