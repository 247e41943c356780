import type { RequestOptions } from '@headframe/jsonrpc';
import { isPoolError, PoolError } from '@headframe/primitives';
import type { Connection } from '@headframe/transport';
import { type ConnectionObserver, ElectrumConnection, type WireOptions } from './connection.js';
import {
  type ElectrumMethodName,
  type ElectrumMethods,
  METHODS,
  methodForm,
  type OldElectrumMethods,
  type SelectedForm,
} from './methods.js';
import { compareVersions, type ProtocolRange, parseVersion } from './version.js';

/** One call of a batch: name, then parameters. */
export type BatchCall = {
  [Name in ElectrumMethodName]: readonly [name: Name, ...params: ElectrumMethods[Name]['input']];
}[ElectrumMethodName];

/** How one call of a batch ended. */
export type BatchOutcome<Result> =
  | { readonly ok: true; readonly result: Result }
  | { readonly ok: false; readonly error: unknown };

/** How the calls of a batch ended, in their order. */
export type BatchOutcomes<Calls extends readonly BatchCall[]> = {
  -readonly [Index in keyof Calls]: BatchOutcome<ElectrumMethods[Calls[Index][0]]['result']>;
};

/** Calls in one JSON array; more are cut into several. Servers have bounds of their own. */
const BATCH_SIZE = 50;

export interface OpenSessionOptions extends WireOptions {
  /** Name that the server gets to see. */
  readonly clientName: string;
  readonly protocol: ProtocolRange;
  /** Ask for one version as a text even where a range would do: for servers that do not understand ranges. */
  readonly plainVersion?: boolean;
}

/** A connection whose version is settled. */
export class ElectrumSession {
  /** What the server calls itself. */
  readonly software: string;
  /** Version in use. */
  readonly version: string;
  readonly connection: ElectrumConnection;

  constructor(connection: ElectrumConnection, software: string, version: string) {
    this.connection = connection;
    this.software = software;
    this.version = version;
  }

  /** True when the version has the method. */
  has(name: string): boolean {
    return methodForm(name, this.version) !== undefined;
  }
  /**
   * Calls a method in the form of this version; parameters and result are checked.
   * @throws PoolError (as a rejection) `not_supported`, `invalid_argument`, `invalid_data`, an ElectrumError for what the
   * server refuses, and those of `PendingRequests`
   */
  async call(name: ElectrumMethodName, params: readonly unknown[], options?: RequestOptions): Promise<unknown> {
    const { form, sent } = this.#prepare(name, params);
    return checkedResult(form, await this.connection.request(name, sent, options));
  }

  /** {@link call} with the types of 1.4 and later. */
  async request<Name extends ElectrumMethodName>(
    name: Name,
    params: ElectrumMethods[Name]['input'],
    options?: RequestOptions,
  ): Promise<ElectrumMethods[Name]['result']> {
    if (methodForm(name, this.version)?.era === 'old' && hasForms(name, 'modern')) {
      throw new PoolError('not_supported', `${name} has another form in version ${this.version}: use requestOld`);
    }
    return (await this.call(name, params, options)) as ElectrumMethods[Name]['result'];
  }

  /** {@link call} with the types of versions below 1.4. */
  async requestOld<Name extends ElectrumMethodName>(
    name: Name,
    params: OldElectrumMethods[Name]['input'],
    options?: RequestOptions,
  ): Promise<OldElectrumMethods[Name]['result']> {
    if (methodForm(name, this.version)?.era === 'modern' && hasForms(name, 'old')) {
      throw new PoolError('not_supported', `${name} has another form in version ${this.version}: use request`);
    }
    return (await this.call(name, params, options)) as OldElectrumMethods[Name]['result'];
  }

  /** Several calls in one message. Each ends by itself; the promise never rejects. */
  async batch<const Calls extends readonly BatchCall[]>(
    calls: Calls,
    options?: RequestOptions,
  ): Promise<BatchOutcomes<Calls>> {
    const outcomes = new Array<BatchOutcome<unknown>>(calls.length);
    const answers: Promise<void>[] = [];
    const good: { readonly at: number; readonly form: SelectedForm; readonly params: readonly unknown[] }[] = [];
    calls.forEach(([name, ...params], at) => {
      try {
        const { form, sent } = this.#prepare(name, params);
        if (form.era === 'old' && hasForms(name, 'modern')) {
          throw new PoolError('not_supported', `${name} has another form in version ${this.version}`);
        }
        good.push({ at, form, params: sent });
      } catch (error) {
        outcomes[at] = { ok: false, error };
      }
    });
    for (let from = 0; from < good.length; from += BATCH_SIZE) {
      const part = good.slice(from, from + BATCH_SIZE);
      const sent = part.map(({ form, params }) => ({ method: form.name, params }));
      this.connection.batch(sent, options).forEach((answer, i) => {
        const call = part[i];
        if (call !== undefined) answers.push(settleInto(outcomes, call.at, call.form, answer));
      });
    }
    await Promise.all(answers);
    return outcomes as BatchOutcomes<Calls>;
  }

  #prepare(name: ElectrumMethodName, params: readonly unknown[]): { form: SelectedForm; sent: readonly unknown[] } {
    const form = methodForm(name, this.version);
    if (form === undefined) throw new PoolError('not_supported', `version ${this.version} has no ${name}`);
    const checked = form.params.safeParse(params);
    if (!checked.success) {
      const issue = checked.error.issues[0];
      throw new PoolError('invalid_argument', `${name}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'invalid'}`);
    }
    let length = params.length;
    while (length > 0 && params[length - 1] === undefined) length--;
    return { form, sent: params.slice(0, length) };
  }
}

function hasForms(name: ElectrumMethodName, era: 'modern' | 'old'): boolean {
  return Object.keys(METHODS[name][era]).length > 0;
}

async function settleInto(
  outcomes: BatchOutcome<unknown>[],
  at: number,
  form: SelectedForm,
  answer: Promise<unknown>,
): Promise<void> {
  try {
    outcomes[at] = { ok: true, result: checkedResult(form, await answer) };
  } catch (error) {
    outcomes[at] = { ok: false, error };
  }
}

function checkedResult(form: SelectedForm, result: unknown): unknown {
  const checked = form.result.safeParse(result);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
  throw new PoolError('invalid_data', `${form.name}: the server's answer makes no sense${where}`, {
    cause: checked.error,
    details: { method: form.name },
  });
}

/**
 * Settles the version on a new connection: the first thing to be said on it. On failure the connection is destroyed.
 * @throws PoolError (as a rejection) `not_supported` without a common version, `invalid_data` for an answer that is
 * none, an ElectrumError when the server refuses, and those of `PendingRequests`
 */
export async function openSession(
  connection: Connection,
  options: OpenSessionOptions,
  observer: ConnectionObserver,
): Promise<ElectrumSession> {
  const { protocol } = options;
  const wire = new ElectrumConnection(connection, options, observer);
  const wanted =
    options.plainVersion === true || protocol.min === protocol.max ? protocol.max : [protocol.min, protocol.max];
  try {
    const answer = await wire.request('server.version', [options.clientName, wanted]);
    const [software, version] = readVersionAnswer(answer);
    if (compareVersions(version, protocol.min) < 0 || compareVersions(version, protocol.max) > 0) {
      throw new PoolError('not_supported', `the server speaks ${version}, not ${protocol.min} to ${protocol.max}`, {
        details: { software, version },
      });
    }
    return new ElectrumSession(wire, software, version);
  } catch (error) {
    wire.destroy(isPoolError(error) ? error : undefined);
    throw error;
  }
}

/** `[software, version]` from 1.1 on; before that one text, either of the two. */
function readVersionAnswer(answer: unknown): readonly [software: string, version: string] {
  if (typeof answer === 'string') {
    const software = answer.slice(0, 200);
    const known = parseVersion(software) !== undefined && compareVersions(software, '1.0') < 0;
    return [software, known ? software : '1.0'];
  }
  const [software, version]: readonly unknown[] = Array.isArray(answer) ? answer : [];
  if (typeof software !== 'string' || typeof version !== 'string' || parseVersion(version) === undefined) {
    throw new PoolError('invalid_data', 'server.version: the answer is no version');
  }
  return [software.slice(0, 200), version];
}
