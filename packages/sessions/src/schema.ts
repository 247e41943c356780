import { isPromiseLike, isReject, type MaybePromise, type Reject, reject } from '@headframe/primitives';
import type { StandardSchemaV1 } from '@standard-schema/spec';

/** A value that passed its schema. */
export interface Parsed {
  readonly value: unknown;
}

/** Issues named in a reply; the rest is counted. */
const MAX_ISSUES = 3;
/** Characters of one issue in a reply. */
const MAX_ISSUE_LENGTH = 120;

/**
 * Checks `value` with any Standard Schema, at once unless the schema is async. What fails becomes a rejection
 * `invalid-params` whose reason names path and problem.
 */
export function validate(schema: StandardSchemaV1, value: unknown): MaybePromise<Parsed | Reject> {
  const result = schema['~standard'].validate(value);
  if (isPromiseLike(result)) return Promise.resolve(result).then(toParsed);
  return toParsed(result);
}

/** Tells what {@link validate} answered. */
export function isParsed(result: Parsed | Reject): result is Parsed {
  return !isReject(result);
}

function toParsed(result: StandardSchemaV1.Result<unknown>): Parsed | Reject {
  if (!result.issues) return { value: result.value };
  return reject('invalid-params', describeIssues(result.issues));
}

/** `[0]: expected string; [1].mask: too long; and 2 more`. */
export function describeIssues(issues: readonly StandardSchemaV1.Issue[]): string {
  const texts = issues.slice(0, MAX_ISSUES).map((issue) => {
    const path = describePath(issue.path ?? []);
    const text = path === '' ? issue.message : `${path}: ${issue.message}`;
    return text.length > MAX_ISSUE_LENGTH ? `${text.slice(0, MAX_ISSUE_LENGTH - 3)}...` : text;
  });
  if (issues.length > MAX_ISSUES) texts.push(`and ${issues.length - MAX_ISSUES} more`);
  return texts.join('; ');
}

function describePath(path: readonly (PropertyKey | StandardSchemaV1.PathSegment)[]): string {
  let text = '';
  for (const segment of path) {
    const key = typeof segment === 'object' ? segment.key : segment;
    if (typeof key === 'number') text += `[${key}]`;
    else text += text === '' ? String(key) : `.${String(key)}`;
  }
  return text;
}
