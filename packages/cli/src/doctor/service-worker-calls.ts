import { parse, type AnyNode, type Program } from 'acorn';
import { simple } from 'acorn-walk';

/** A call of `navigator.serviceWorker.register`. */
export type Registration =
  | {
      readonly kind: 'written';
      /** The worker's script. */
      readonly script: string;
      /** Unless given, the folder of the script. */
      readonly scope: string | undefined;
    }
  /** What it registers is worked out in the browser. */
  | { readonly kind: 'computed' };

/**
 * The service workers that a script registers.
 *
 * @returns undefined for a script that can't be read
 */
export function serviceWorkerCalls(source: string): readonly Registration[] | undefined {
  // Almost no script does, and reading a large one takes a while.
  if (!source.includes('serviceWorker')) return [];
  const program = readScript(source);
  if (program === undefined) return undefined;
  const found: Registration[] = [];
  simple(program, {
    CallExpression({ callee, arguments: [script, options] }) {
      if (callee.type !== 'MemberExpression' || nameOf(callee.property) !== 'register') return;
      const owner = callee.object;
      if (owner.type !== 'MemberExpression' || nameOf(owner.property) !== 'serviceWorker') return;
      found.push(registrationOf(script, options));
    },
  });
  return found;
}

function readScript(source: string): Program | undefined {
  for (const sourceType of ['module', 'script'] as const) {
    try {
      return parse(source, { ecmaVersion: 'latest', sourceType });
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return undefined;
}

/** The name of a property, `a.b` or `a['b']`. */
function nameOf(property: AnyNode): string | undefined {
  return property.type === 'Identifier' ? property.name : textOf(property);
}

function textOf(node: AnyNode | undefined): string | undefined {
  if (node?.type === 'Literal' && typeof node.value === 'string') return node.value;
  if (node?.type !== 'TemplateLiteral' || node.expressions.length > 0) return undefined;
  return node.quasis[0]?.value.cooked ?? undefined;
}

function registrationOf(first: AnyNode | undefined, options: AnyNode | undefined): Registration {
  const script = textOf(first);
  if (script === undefined) return { kind: 'computed' };
  if (options === undefined) return { kind: 'written', script, scope: undefined };
  if (options.type !== 'ObjectExpression') return { kind: 'computed' };
  for (const property of options.properties) {
    if (property.type !== 'Property') return { kind: 'computed' };
    if (nameOf(property.key) !== 'scope') continue;
    const scope = textOf(property.value);
    return scope === undefined ? { kind: 'computed' } : { kind: 'written', script, scope };
  }
  return { kind: 'written', script, scope: undefined };
}
