import type { BlockItem, LiveEventName, NodesInfo, PoolInfo } from '@headframe/http';

/** Events that the page listens for. `share` is left out: it says nothing that `pool` does not say. */
export const LIVE_TOPICS: readonly LiveEventName[] = ['pool', 'block', 'job', 'node', 'payment'];

/** What an event brings besides making answers old. */
export interface TopicAction {
  /** An answer it carries whole. */
  readonly put?: { readonly path: string; readonly data: unknown };
  readonly pool?: PoolInfo;
  readonly block?: BlockItem;
}

/** Data of events comes from the same server as answers do; only what is used at once is looked at here. */
export function topicAction(topic: string, data: unknown): TopicAction {
  if (typeof data !== 'object' || data === null) return {};
  if (topic === 'pool' && 'timeMs' in data) {
    return { put: { path: 'pool', data }, pool: data as PoolInfo };
  }
  if (topic === 'node' && 'nodes' in data) return { put: { path: 'nodes', data: data as NodesInfo } };
  if (topic === 'block' && 'hash' in data) return { block: data as BlockItem };
  return {};
}
