/**
 * Flat pairs as the object that node and http-proxy-3 want: spelling, duplicates and the
 * order of first appearance survive. Without a prototype, for a field may be called
 * `__proto__`.
 */
export function headerObject(
  fields: readonly string[],
  connection: Record<string, string>,
): Record<string, string | string[]> {
  const names = new Map<string, string>();
  const object: Record<string, string | string[]> = Object.assign(Object.create(null), connection);
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const [name = '', value = ''] = [fields[i], fields[i + 1]];
    const key = name.toLowerCase();
    const spelling = names.get(key) ?? name;
    names.set(key, spelling);
    const values = object[spelling];
    object[spelling] =
      values === undefined ? value : Array.isArray(values) ? [...values, value] : [values, value];
  }
  return object;
}
