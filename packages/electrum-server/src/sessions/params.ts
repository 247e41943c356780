import type { SelectedForm } from '@headframe/electrum';
import { ELECTRUM_ERROR, type ElectrumFailure, electrumError } from './errors.js';

export type CheckedParams =
  | { readonly ok: true; readonly values: readonly unknown[] }
  | { readonly ok: false; readonly failure: ElectrumFailure };

/** Applies the schema of a method: what is missing or too much is -32602, what is of a wrong kind is error 1. */
export function checkParams(form: SelectedForm, params: unknown): CheckedParams {
  const parsed = form.params.safeParse(params);
  if (parsed.success) return { ok: true, values: parsed.data };
  const [issue] = parsed.error.issues;
  const [name] = issue?.path ?? [];
  const text = `${name === undefined ? '' : `${String(name)}: `}${issue?.message ?? 'invalid params'}`;
  const isShape = name === undefined || isMissing(form, params, String(name));
  return {
    ok: false,
    failure: electrumError(isShape ? ELECTRUM_ERROR.invalidParams : ELECTRUM_ERROR.badRequest, text),
  };
}

function isMissing(form: SelectedForm, params: unknown, name: string): boolean {
  if (Array.isArray(params)) return form.args.findIndex((argument) => argument.name === name) >= params.length;
  return typeof params === 'object' && params !== null && !Object.hasOwn(params, name);
}
