import { parse, type AnyNode, type Program } from 'acorn';
import { simple } from 'acorn-walk';

/** A call of `navigator.serviceWorker.register`. */
export interface Registration {
  /** The worker's script; undefined when the browser works it out. */
  readonly script: string | undefined;
  /** As given; the folder of the script unless it is. */
  readonly scope: string | undefined;
}

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
      found.push({ script: textOf(script), scope: scopeOf(options) });
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

function scopeOf(options: AnyNode | undefined): string | undefined {
  if (options?.type !== 'ObjectExpression') return undefined;
  for (const property of options.properties) {
    if (property.type === 'Property' && nameOf(property.key) === 'scope') {
      return textOf(property.value);
    }
  }
  return undefined;
}
