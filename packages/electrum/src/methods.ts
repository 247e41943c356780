import type { z } from 'zod';
import type { ArgumentInputs, ArgumentValues, MethodForm, MethodSpec } from './method-types.js';
import { CHAIN_METHODS } from './methods-chain.js';
import { OLD_METHODS } from './methods-old.js';
import { SERVER_METHODS } from './methods-server.js';
import { compareVersions } from './version.js';

/** Every method of every supported version: parameters, results and notifications as schemas. */
export const METHODS = { ...SERVER_METHODS, ...CHAIN_METHODS, ...OLD_METHODS } as const;

export type ElectrumMethodName = keyof typeof METHODS;

type Table = typeof METHODS;
type Forms<Name extends ElectrumMethodName> = Table[Name]['modern'] & Table[Name]['old'];
type ValueOf<T> = T[keyof T];
type ModernForm<Name extends ElectrumMethodName> = ValueOf<Table[Name]['modern']>;
type OldForm<Name extends ElectrumMethodName> = ValueOf<Table[Name]['old']>;
type Otherwise<First, Second> = [First] extends [never] ? Second : First;

type InputOf<Form> = Form extends MethodForm<infer Args> ? ArgumentInputs<Args> : never;
type ParamsOf<Form> = Form extends MethodForm<infer Args> ? ArgumentValues<Args> : never;
type ResultOf<Form> = Form extends { readonly result: infer Result extends z.ZodType } ? z.output<Result> : never;
type NotificationOf<Form> = Form extends { readonly notification: infer Sent extends z.ZodType }
  ? z.output<Sent>
  : never;

interface Types<Form> {
  /** What a caller writes: parameters with a default may be left out. */
  input: InputOf<Form>;
  /** What a handler gets. */
  params: ParamsOf<Form>;
  result: ResultOf<Form>;
  /** Parameters of the notification; `never` for methods that are no subscription. */
  notification: NotificationOf<Form>;
}

/**
 * Types of each method as of 1.4 and later; of methods that went away before, their last ones.
 * @example type History = ElectrumMethods['blockchain.scripthash.get_history']['result'];
 */
export type ElectrumMethods = {
  [Name in ElectrumMethodName]: Types<Otherwise<ModernForm<Name>, OldForm<Name>>>;
};

/** Types of each method as of versions below 1.4; of those that were the same, or are newer, today's. */
export type OldElectrumMethods = {
  [Name in ElectrumMethodName]: Types<Otherwise<OldForm<Name>, ModernForm<Name>>>;
};

/** Types of each method in the form that began with one version: `ElectrumForms['server.version']['0.8']`. */
export type ElectrumForms = {
  [Name in ElectrumMethodName]: { [Since in keyof Forms<Name>]: Types<Forms<Name>[Since]> };
};

/** The form of a method that is in use in one version. */
export interface SelectedForm extends MethodForm {
  readonly name: ElectrumMethodName;
  /** Version the form began with. */
  readonly since: string;
  /** `modern`: described by {@link ElectrumMethods}; `old`: only by {@link OldElectrumMethods}. */
  readonly era: 'modern' | 'old';
}

const NAMES: ReadonlySet<string> = new Set(Object.keys(METHODS));

/** True for a method of the table, whatever the version. */
export function isElectrumMethod(name: string): name is ElectrumMethodName {
  return NAMES.has(name);
}

/** All forms of a method, oldest first. */
export function methodForms(name: ElectrumMethodName): readonly SelectedForm[] {
  const spec: MethodSpec = METHODS[name];
  const list = (forms: Readonly<Record<string, MethodForm>>, era: 'modern' | 'old'): SelectedForm[] =>
    Object.entries(forms).map(([since, form]) => ({ ...form, name, since, era }));
  return [...list(spec.old, 'old'), ...list(spec.modern, 'modern')].sort((a, b) => compareVersions(a.since, b.since));
}

/** Filled as asked for; method names times versions that passed as valid is the bound. */
const selected = new Map<string, SelectedForm | undefined>();
const MAX_SELECTED = 4096;

/**
 * The form of a method in a version; undefined when that version does not have it.
 * @throws PoolError `invalid_argument` when `version` is none
 *
 * @example
 * const form = methodForm('blockchain.block.header', '1.4');
 * const [height, cpHeight] = form?.params.parse([5]); // [5, 0]
 */
export function methodForm(name: string, version: string): SelectedForm | undefined {
  if (!isElectrumMethod(name)) return undefined;
  const key = `${name} ${version}`;
  if (selected.has(key)) return selected.get(key);
  const spec: MethodSpec = METHODS[name];
  const gone = spec.removedIn !== undefined && compareVersions(version, spec.removedIn) >= 0;
  const forms = gone ? [] : methodForms(name).filter(({ since }) => compareVersions(since, version) <= 0);
  const found = forms[forms.length - 1];
  if (selected.size < MAX_SELECTED) selected.set(key, found);
  return found;
}

/** Names of the methods that a version has. @throws PoolError `invalid_argument` when `version` is none */
export function methodNames(version: string): readonly ElectrumMethodName[] {
  return [...NAMES].filter(isElectrumMethod).filter((name) => methodForm(name, version) !== undefined);
}
