import {
  isPromiseLike,
  isReject,
  type MaybePromise,
  type Reject,
  type RejectCode,
  reject,
} from '@headframe/primitives';
import { createSubmitFields, parseSubmit, SubmitParse, submitFromParams } from '@headframe/stratum-v1';
import type { ShareOrigin } from '../share.js';
import type { SharePath } from '../share-path.js';
import type { MiningContext } from './context.js';
import type { V1Base, V1Link } from './link.js';

/** A verdict that somebody awaits, instead of a slot in the order of replies. */
class VerdictPromise implements ShareOrigin {
  readonly promise: Promise<true | Reject>;
  #resolve: (verdict: true | Reject) => void = () => {};

  constructor() {
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }
  accept(): void {
    this.#resolve(true);
  }
  refuse(_slot: number, _idText: string, code: RejectCode, reason: string | undefined): void {
    this.#resolve(reject(code, reason));
  }
}

/** `mining.submit`: by hand from the bytes where nobody else has a say, else as any other method. */
export class Submit<Account> {
  readonly #path: SharePath<Account>;
  /** Reused for every share: parsing is synchronous. */
  readonly #fields = createSubmitFields();

  constructor(path: SharePath<Account>) {
    this.#path = path;
  }

  /** Takes the line if it is a plain submit of an authorized session. */
  fast(protocol: V1Base<Account>, bytes: Uint8Array, start: number, end: number): boolean {
    const { session, settings, state: link } = protocol;
    // Hooks want a context, and a name may be under way: those go the generic way.
    if (!session.authorized || !session.subscribed || protocol.changesPhase) return false;
    if (settings.onRequest.size > 0 || settings.beforeReply.size > 0) return false;
    const fields = this.#fields;
    fields.names = link.names;
    const parsed = parseSubmit(bytes, start, end, fields);
    if (parsed === SubmitParse.notSubmit) return false;
    const slot = protocol.reserve();
    if (parsed === SubmitParse.submit) this.#path.submit(link.channel, fields, link, slot, undefined);
    else this.#refuseUnparsed(link, link, slot);
    return true;
  }

  /** The handler of `mining.submit`. It looks after phase and `onRequest` itself: they must not delay a block. */
  generic(context: MiningContext<Account>, link: V1Link<Account>): MaybePromise<true | Reject> {
    const { protocol } = link;
    const { session } = protocol;
    const parsed = this.#parse(context);
    if (!session.subscribed && !protocol.changesPhase) return reject('not-subscribed');
    const gate = this.#gate(context, link);
    if (parsed === SubmitParse.submit && link.channel.findJob(this.#fields.jobId) !== undefined) {
      return this.#submit(link, gate);
    }
    if (isPromiseLike(gate)) return gate.then((refusal) => refusal ?? this.#afterGate(context, link));
    return gate ?? this.#afterGate(context, link);
  }

  #parse(context: MiningContext<Account>): SubmitParse {
    this.#fields.idText = 'null';
    return submitFromParams(context.params, this.#fields);
  }

  /** The phase and whoever must be heard before the verdict. */
  #gate(context: MiningContext<Account>, link: V1Link<Account>): MaybePromise<Reject | undefined> {
    const refusal = link.protocol.guard(context, 'authorized');
    if (isPromiseLike(refusal) || isReject(refusal)) return refusal;
    const { worker } = this.#fields;
    if (!link.protocol.changesPhase || link.channel.workers.find(worker) !== undefined) return undefined;
    return waitForWorker(link, worker);
  }

  /** The request may speak; what it says may be worth nothing. */
  #afterGate(context: MiningContext<Account>, link: V1Link<Account>): MaybePromise<true | Reject> {
    if (!link.protocol.session.subscribed) return reject('not-subscribed');
    if (this.#parse(context) === SubmitParse.submit) return this.#submit(link, undefined);
    const verdict = new VerdictPromise();
    this.#refuseUnparsed(link, verdict, 0);
    return verdict.promise;
  }

  #submit(link: V1Link<Account>, gate: MaybePromise<Reject | undefined>): Promise<true | Reject> {
    const verdict = new VerdictPromise();
    this.#path.submit(link.channel, this.#fields, verdict, 0, gate);
    return verdict.promise;
  }

  #refuseUnparsed(link: V1Link<Account>, origin: ShareOrigin, slot: number): void {
    const fields = this.#fields;
    // Left over from the line before: an unparsable one names nobody and nothing.
    fields.worker = '';
    fields.jobId = -1;
    this.#path.refuseUnjudged(link.channel, fields, origin, slot, fields.rejectCode, fields.rejectReason);
  }
}

/** Waits until the name is authorized, or no authorize is under way any more. */
async function waitForWorker<Account>(link: V1Link<Account>, name: string): Promise<undefined> {
  while (link.channel.workers.find(name) === undefined && link.protocol.changesPhase) {
    await link.protocol.phaseChanged();
  }
}
