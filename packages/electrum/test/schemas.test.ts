import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  encodeElectrumNotification,
  encodeElectrumRequest,
  encodeElectrumResult,
  isElectrumMethod,
  METHODS,
  methodForms,
  parseElectrumMessage,
  type SelectedForm,
} from '../src/index.js';

interface JsonSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly minItems?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly propertyNames?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
}

const hexOf = (minLength: number) =>
  fc
    .uint8Array({ minLength: minLength / 2, maxLength: minLength / 2 + 40 })
    .map((bytes) => Buffer.from(bytes).toString('hex'));

function texts(schema: JsonSchema): fc.Arbitrary<string> {
  const patterns = [schema.pattern, ...(schema.allOf ?? []).map(({ pattern }) => pattern)].join(' ');
  if (patterns.includes('{64}')) return hexOf(64).map((hex) => hex.slice(0, 64));
  if (patterns.includes('{2}')) return hexOf(Math.max(schema.minLength ?? 0, 160));
  return fc.string({ minLength: schema.minLength ?? 0, maxLength: 20 });
}

/** Values that fit a schema of the table. */
function valuesOf(schema: JsonSchema): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(valuesOf));
  switch (schema.type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer({ min: Math.max(schema.minimum ?? -1e9, -1e15), max: Math.min(schema.maximum ?? 1e9, 1e15) });
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0);
    case 'string':
      return texts(schema);
    case 'array':
      if (schema.prefixItems !== undefined) return fc.tuple(...schema.prefixItems.map(valuesOf));
      return fc.array(valuesOf(schema.items ?? {}), { minLength: schema.minItems ?? 0, maxLength: 4 });
    case 'object': {
      const { properties = {}, required = [] } = schema;
      const parts = Object.fromEntries(Object.entries(properties).map(([key, child]) => [key, valuesOf(child)]));
      return fc.record(parts, { requiredKeys: [...required] });
    }
    default:
      // As it comes off the wire: without -0, and without the member that the parser drops.
      return fc
        .jsonValue({ maxDepth: 1 })
        .map((value) => JSON.stringify(value))
        .filter((text) => !text.includes('__proto__'))
        .map((text): unknown => JSON.parse(text));
  }
}

const jsonSchema = (schema: z.ZodType): JsonSchema =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;

const forms: readonly (readonly [string, SelectedForm])[] = Object.keys(METHODS)
  .filter(isElectrumMethod)
  .flatMap(methodForms)
  .map((form) => [`${form.name} of ${form.since}`, form] as const);

describe('every form of every method', () => {
  it.each(forms)(
    '%s takes its parameters by position and by name alike, and they survive the wire (property)',
    (_name, form) => {
      const args = fc.tuple(...form.args.map(({ schema }) => valuesOf(jsonSchema(schema))));
      fc.assert(
        fc.property(args, (values) => {
          const sent = parseElectrumMessage(encodeElectrumRequest(1, form.name, values));
          expect(sent.kind).toBe('request');
          if (sent.kind !== 'request') return;
          const positional = form.params.parse(sent.params);
          const named = Object.fromEntries(form.args.map(({ name }, i) => [name, values[i]]));
          expect(form.params.parse(named)).toEqual(positional);
          expect(form.params.parse(positional)).toEqual(positional);
        }),
        { numRuns: 25 },
      );
    },
  );

  it.each(forms)('%s has a result that survives the wire (property)', (_name, form) => {
    fc.assert(
      fc.property(valuesOf(jsonSchema(form.result)), (value) => {
        const answer = parseElectrumMessage(encodeElectrumResult('1', value));
        expect(answer.kind).toBe('response');
        if (answer.kind !== 'response') return;
        const result = form.result.parse(answer.result);
        expect(form.result.parse(result)).toEqual(result);
      }),
      { numRuns: 25 },
    );
  });

  it.each(forms.filter(([, { notification }]) => notification !== undefined))(
    '%s has a notification that survives the wire (property)',
    (_name, form) => {
      const schema = form.notification ?? z.never();
      fc.assert(
        fc.property(valuesOf(jsonSchema(schema)), (value) => {
          for (const dialect of ['modern', 'old'] as const) {
            const message = parseElectrumMessage(encodeElectrumNotification(form.name, value as unknown[], dialect));
            expect(message.kind).toBe('notification');
            if (message.kind === 'notification') expect(schema.parse(message.params)).toEqual(schema.parse(value));
          }
        }),
        { numRuns: 25 },
      );
    },
  );

  it.each(forms)('%s refuses parameters and results of other types', (_name, form) => {
    for (const rubbish of ['x', 5, true, [[], [], [], [], []]]) {
      const ignoresExtra = form.name === 'server.version';
      if (!ignoresExtra || !Array.isArray(rubbish)) expect(form.params.safeParse(rubbish).success).toBe(false);
    }
    expect(form.result.safeParse(Symbol('x')).success).toBe(false);
    expect(form.result.safeParse(undefined).success).toBe(false);
  });
});
