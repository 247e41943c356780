import { encodeTrue } from '@headframe/jsonrpc';
import type { RejectCode } from '@headframe/primitives';
import type { JsonRpcProtocol } from '@headframe/sessions';
import { type ConfigureInfo, createWorkerNameCache, type WorkerNameCache } from '@headframe/stratum-v1';
import type { WorkUpdate } from '@headframe/transport';
import type { Channel, ChannelPort } from '../channel.js';
import type { Mining } from '../mining.js';
import type { ShareOrigin } from '../share.js';
import { asciiText } from '../text.js';
import type { MiningContext } from './context.js';

/** What a miner reads correctly between its authorize and the reply to it; anything else it takes for the reply. */
const EARLY_METHODS: ReadonlySet<string> = new Set([
  'mining.notify',
  'mining.set_difficulty',
  'client.show_message',
  'client.reconnect',
  'client.get_version',
]);

/** The protocol object of a V1 session. */
export type V1Base<Account> = JsonRpcProtocol<MiningContext<Account>, V1Link<Account>>;

interface Held {
  readonly method: string;
  /** Sends it; settles it when the session has ended. */
  readonly send: () => void;
}

/** A V1 session and its one channel. */
export class V1Link<Account> implements ChannelPort, ShareOrigin {
  readonly protocol: V1Base<Account>;
  readonly channel: Channel<Account>;
  readonly #mining: Mining<Account>;
  #names: WorkerNameCache | undefined = undefined;
  #held: Held[] | undefined = undefined;
  /** True while the first work is sent: it stands behind replies that are given but wait for earlier ones. */
  #isGreeting = false;
  /** The last difficulty wished for: firmware repeats its wish twice a minute. */
  suggested: number | undefined = undefined;
  /** The job whose transactions were asked for last. */
  transactionsAsked: number | undefined = undefined;
  /** A ping was sent; some firmware answers with a request of its own. */
  pinged = false;
  /** From the `info` extension of mining.configure. */
  info: ConfigureInfo | undefined = undefined;

  constructor(protocol: V1Base<Account>, mining: Mining<Account>) {
    this.protocol = protocol;
    this.#mining = mining;
    this.channel = mining.open(protocol.session, this);
  }

  /** Worker names of this session; made with its first share. */
  get names(): WorkerNameCache {
    this.#names ??= createWorkerNameCache();
    return this.#names;
  }

  // --- ChannelPort

  sendWork(update: WorkUpdate): void {
    if (this.#isGreeting) this.protocol.push(asciiText(update.encode()));
    else this.protocol.broadcast(update);
  }

  sendLine(line: Uint8Array): void {
    this.protocol.push(asciiText(line));
  }

  notify(method: string, params: readonly unknown[]): void {
    this.protocol.notify(method, params);
  }

  request(
    method: string,
    params: readonly unknown[],
    options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal },
  ): Promise<unknown> {
    return this.protocol.request(method, params, options);
  }

  // --- ShareOrigin

  accept(slot: number, idText: string): void {
    this.protocol.settle(slot, idText === 'null' ? '' : encodeTrue(idText));
  }

  refuse(slot: number, idText: string, code: RejectCode, reason: string | undefined): void {
    const text = idText === 'null' ? '' : this.protocol.settings.encodeError(idText, code, reason, this.protocol);
    this.protocol.settle(slot, text);
  }

  // --- order of messages

  /**
   * True when a message of ours may go out now: nothing before the reply to subscribe, and until the reply to the first
   * authorize only what every miner knows.
   */
  mayTake(method: string): boolean {
    const { session } = this.protocol;
    if (!session.subscribed) return false;
    return EARLY_METHODS.has(method) || (session.authorized && !this.protocol.changesPhase);
  }

  /**
   * Keeps a message until it may go out. False when too many wait: they are bounded, as a session that never
   * authorizes never takes them.
   */
  hold(method: string, send: () => void): boolean {
    this.#held ??= [];
    if (this.#held.length >= this.#mining.parts.limits.heldMessages) {
      this.protocol.session.log.warn({ method }, 'message dropped: the session is not ready for it');
      return false;
    }
    this.#held.push({ method, send });
    return true;
  }

  /** A subscribe or authorize is about to be answered: go on behind its reply. */
  expectPhase(): void {
    void this.protocol.phaseChanged().then(() => this.#phaseReached());
  }

  #phaseReached(): void {
    if (this.protocol.session.closed) return;
    this.#mining.start(this.channel, (give) => {
      this.#isGreeting = true;
      give();
      this.#isGreeting = false;
    });
    this.#release();
  }

  /** Sends what may go out by now, in order; all of it when the session has ended, so that requests are settled. */
  #release(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    const isOver = this.protocol.session.closed;
    for (const message of held) {
      if (isOver || this.mayTake(message.method)) message.send();
      else this.hold(message.method, message.send);
    }
  }

  close(): void {
    this.#release();
    this.#mining.close(this.channel);
  }
}
