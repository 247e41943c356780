import { PoolError } from '@headframe/primitives';
import type { z } from 'zod';
import { type PoolConfig, poolConfigSchema } from './schema.js';

/** One thing wrong with a configuration. */
export interface ConfigProblem {
  /** `listeners[0].port` */
  readonly path: string;
  readonly message: string;
}

function pathText(path: readonly PropertyKey[]): string {
  let text = '';
  for (const part of path) text += typeof part === 'number' ? `[${part}]` : `${text === '' ? '' : '.'}${String(part)}`;
  return text === '' ? '(top level)' : text;
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value: unknown = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}

const SECRET = /password|passphrase|token$|key$|^key/i;

/** `//user:password@` of an address. */
const LOGIN = /\/\/[^/@\s]*@/g;

/** What was found, short, and without secrets. */
function found(root: unknown, path: readonly PropertyKey[]): string {
  const value = valueAt(root, path);
  if (value === undefined) return 'found nothing';
  if (SECRET.test(String(path.at(-1) ?? ''))) return 'found a value not shown';
  const json = JSON.stringify(value, (key, item: unknown) => (SECRET.test(key) ? 'not shown' : item));
  const text = (json ?? String(value)).replace(LOGIN, '//...@');
  return `found ${text.length > 80 ? `${text.slice(0, 77)}...` : text}`;
}

function problemText(issue: z.core.$ZodIssue, root: unknown): string {
  const isMissing = issue.code === 'invalid_type' && valueAt(root, issue.path) === undefined;
  return isMissing
    ? `is missing (must be ${issue.expected === 'array' ? 'a list' : `of type ${issue.expected}`})`
    : `${issue.message} (${found(root, issue.path)})`;
}

/** Problems of a value, or the configuration it is. */
export function checkConfig(
  value: unknown,
): { readonly config: PoolConfig } | { readonly problems: readonly ConfigProblem[] } {
  const result = poolConfigSchema.safeParse(value);
  if (result.success) return { config: result.data };
  const problems: ConfigProblem[] = [];
  for (const issue of result.error.issues) {
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys)
        problems.push({ path: pathText([...issue.path, key]), message: 'is not a known key' });
    } else problems.push({ path: pathText(issue.path), message: problemText(issue, value) });
  }
  return { problems };
}

/**
 * The configuration that a value is.
 * @throws PoolError `invalid_config`; `details.problems` lists every {@link ConfigProblem}.
 */
export function parseConfig(value: unknown): PoolConfig {
  const result = checkConfig(value);
  if ('config' in result) return result.config;
  throw configError(result.problems);
}

export function configError(problems: readonly ConfigProblem[]): PoolError {
  const lines = problems.map(({ path, message }) => `${path}: ${message}`);
  return new PoolError('invalid_config', `the configuration is not valid:\n  ${lines.join('\n  ')}`, {
    details: { problems },
  });
}
