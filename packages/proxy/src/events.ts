import type { RejectCode } from '@headframe/primitives';
import type { UpstreamState } from './upstream.js';

/** A share that meets the target of its upstream. */
export interface ForwardedEvent {
  /** Name of the upstream. */
  readonly upstream: string;
  /** As the miner wrote it. */
  readonly worker: string;
  /** Display hex of the header hash. */
  readonly hash: string;
  /** It meets the network's target. */
  readonly isBlock: boolean;
  /** False when it was not sent; `reason` tells why. */
  readonly sent: boolean;
  readonly reason: string | undefined;
}

/** What became of a share that was sent. */
export interface VerdictEvent {
  readonly upstream: string;
  readonly worker: string;
  readonly hash: string;
  readonly isBlock: boolean;
  /** Of the upstream's job: what an accepted share is worth there. */
  readonly difficulty: number;
  readonly accepted: boolean;
  /** Why it does not count; `timeout` when the upstream was lost before it answered. */
  readonly code: RejectCode | undefined;
  readonly reason: string | undefined;
}

/** Events of a proxy, beside those of its server. They observe; none can veto. */
export interface ProxyEvents {
  /** Miners work for another upstream; `undefined`: there is none. */
  upstream: { readonly name: string | undefined; readonly before: string | undefined };
  /** The state of an upstream changed. */
  upstreamState: { readonly name: string; readonly state: UpstreamState; readonly reason: string };
  forwarded: ForwardedEvent;
  verdict: VerdictEvent;
  /** Work was taken back: no upstream was there for too long. */
  outage: { readonly seconds: number };
  /** A text of an upstream for people. */
  notice: { readonly upstream: string; readonly text: string };
}

/** Names of {@link ProxyEvents}. */
export const PROXY_EVENTS: ReadonlySet<string> = new Set<keyof ProxyEvents>([
  'upstream',
  'upstreamState',
  'forwarded',
  'verdict',
  'outage',
  'notice',
]);
