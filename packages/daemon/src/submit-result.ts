import { errorMessage, isPoolError } from '@headframe/primitives';
import { isTransient } from './node.js';

/** What a node's answer to submitblock means. `text` is for logs and events. */
export type SubmitAnswer =
  /** The node has the block: new, known before, or stored without a verdict. Whether it counts, the chain says. */
  | { readonly kind: 'has-block'; readonly text: string }
  /** The node will never take it. */
  | { readonly kind: 'rejected'; readonly text: string }
  /** Ask again: the node is away, starting, or does not know the parent yet. */
  | { readonly kind: 'retry'; readonly text: string };

/** BIP 22 texts that do not mean refusal. */
const HAS_BLOCK: ReadonlySet<string> = new Set(['duplicate', 'inconclusive', 'duplicate-inconclusive']);
/** The parent has not reached this node yet. */
const PARENT_UNKNOWN: ReadonlySet<string> = new Set(['prev-blk-not-found', 'inconclusive-not-best-prevblk']);

/** Reads the result of submitblock: null is acceptance, text is BIP 22, with bcoin's prefix `rejected: ` or without. */
export function readSubmitResult(result: unknown): SubmitAnswer {
  if (result === null || result === undefined || result === '') return { kind: 'has-block', text: 'accepted' };
  if (typeof result !== 'string') return { kind: 'has-block', text: 'accepted' };
  const text = result.replace(/^rejected: */i, '').slice(0, 200);
  if (HAS_BLOCK.has(text)) return { kind: 'has-block', text };
  if (PARENT_UNKNOWN.has(text)) return { kind: 'retry', text };
  return { kind: 'rejected', text: text === '' ? 'rejected' : text };
}

/** Reads a failed submitblock: transport trouble is retried, an error the node answered (-22, decode failed) is final. */
export function readSubmitError(error: unknown): SubmitAnswer {
  if (isTransient(error) || isPoolError(error, 'aborted') || isPoolError(error, 'closed')) {
    return { kind: 'retry', text: `error: ${isPoolError(error) ? error.code : 'unknown'}` };
  }
  if (isPoolError(error, 'rpc_error')) {
    const { code, rpcMessage } = error.details;
    return { kind: 'rejected', text: `error ${String(code)}: ${String(rpcMessage)}` };
  }
  return { kind: 'retry', text: `error: ${errorMessage(error)}` };
}
