import { errorMessage } from '@headframe/primitives';
import { type CoinNode, rpcCodeOf } from './node.js';
import { RPC_CODE } from './rpc-response.js';
import { templateRequest } from './template-request.js';

/** What a node says of a block proposal (BIP 23). */
export type ProposalVerdict =
  /** The node would take the block, apart from its proof of work. */
  | { readonly kind: 'accepted' }
  /** It would not: the block is built wrongly. */
  | { readonly kind: 'rejected'; readonly reason: string }
  /** The tip moved, so that the node did not judge. */
  | { readonly kind: 'stale' }
  /** The node does not judge proposals, or could not be asked. */
  | { readonly kind: 'unavailable'; readonly reason: string };

/**
 * Asks a node whether a block built from its template is right, before anybody spends work on it.
 * Never rejects.
 */
export async function checkProposal(
  node: Pick<CoinNode, 'call'>,
  request: { readonly rules: readonly string[]; readonly blockHex: string },
): Promise<ProposalVerdict> {
  const params = [{ ...templateRequest(request.rules), mode: 'proposal', data: request.blockHex }];
  try {
    const result = await node.call('getblocktemplate', params, { connection: 'own' });
    if (result === null || result === undefined) return { kind: 'accepted' };
    // A node that ignores `mode` answers with a template.
    if (typeof result !== 'string') return { kind: 'unavailable', reason: 'the node does not know proposals' };
    const reason = result.replace(/^rejected: */i, '');
    return reason === 'inconclusive-not-best-prevblk' ? { kind: 'stale' } : { kind: 'rejected', reason };
  } catch (error) {
    if (rpcCodeOf(error) === RPC_CODE.decodeFailed) return { kind: 'rejected', reason: errorMessage(error) };
    return { kind: 'unavailable', reason: errorMessage(error) };
  }
}
