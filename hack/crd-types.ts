// Turns the schema of a CustomResourceDefinition into TypeScript interfaces, descriptions into doc comments.
// Knows only what our own CRDs use: objects, arrays, strings, integers, booleans, enums, nullable and defaults.

interface Schema {
  readonly type: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly string[];
  readonly nullable?: boolean;
  readonly default?: unknown;
}

interface Definition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly [{ readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } }];
  };
}

/** The text of a module with one interface for the kind and one for each object in it. */
export function typesOf(crd: unknown, source: string): string {
  const { group, names, versions } = (crd as Definition).spec;
  const { name: version, schema } = versions[0];
  const { spec, status } = schema.openAPIV3Schema.properties ?? {};
  if (spec === undefined || status === undefined) throw new Error(`${source} has no spec or no status`);
  const out: string[] = [];
  declare(out, `${names.kind}Spec`, spec);
  declare(out, `${names.kind}Status`, status);
  const doc = comment(schema.openAPIV3Schema.description);
  return [
    `// Generated from ${source} by npm run generate; change that file instead.`,
    `import type { ObjectMeta } from './object.ts';`,
    `${doc}export interface ${names.kind} {
      readonly apiVersion: '${group}/${version}';
      readonly kind: '${names.kind}';
      readonly metadata: ObjectMeta;
      readonly spec: ${names.kind}Spec;
      readonly status?: ${names.kind}Status;
    }`,
    ...out,
  ].join('\n\n');
}

function declare(out: string[], name: string, schema: Schema): void {
  const place = out.length;
  const fields = Object.entries(schema.properties ?? {}).map(([field, child]) => {
    const sure = schema.required?.includes(field) || child.default !== undefined;
    const type = typeOf(out, name + field.charAt(0).toUpperCase() + field.slice(1), child);
    return `${comment(child.description)}readonly ${field}${sure ? '' : '?'}: ${type}${child.nullable ? ' | null' : ''};`;
  });
  out.splice(place, 0, `${comment(schema.description)}export interface ${name} {\n${fields.join('\n')}\n}`);
}

function typeOf(out: string[], name: string, schema: Schema): string {
  if (schema.enum) return schema.enum.map((value) => `'${value}'`).join(' | ');
  if (schema.type === 'integer') return 'number';
  if (schema.type === 'array' && schema.items) return `readonly (${typeOf(out, singular(name), schema.items)})[]`;
  if (schema.type === 'object') {
    declare(out, name, schema);
    return name;
  }
  return schema.type;
}

function singular(name: string): string {
  return name.replace(/ies$/, 'y').replace(/s$/, '');
}

function comment(text: string | undefined): string {
  return text === undefined ? '' : `/** ${text.replaceAll('*/', '* /')} */\n`;
}
