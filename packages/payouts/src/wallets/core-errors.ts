import { rpcCodeOf } from '@headframe/daemon';
import { errorMessage, isPoolError, PoolError } from '@headframe/primitives';
import type { WalletOutput } from '../types.js';

/** Error numbers of Bitcoin Core's wallet. */
export const WALLET_CODE = {
  misc: -1,
  invalidParameter: -8,
  wallet: -4,
  invalidAddress: -5,
  insufficientFunds: -6,
  keypoolRanOut: -12,
  unlockNeeded: -13,
  wrongPassphrase: -14,
  notLoaded: -18,
  alreadyInChain: -27,
  methodNotFound: -32601,
} as const;

/** The node's own words, without method and URL. */
export function reasonOf(error: PoolError): string {
  const { rpcMessage } = error.details;
  return typeof rpcMessage === 'string' && rpcMessage !== '' ? rpcMessage : error.message;
}

/** What a failure while building and signing means to whoever asked for it. Anything else comes back as it is. */
export function signingError(error: unknown, outputs: readonly WalletOutput[]): unknown {
  if (!isPoolError(error, 'rpc_error')) return error;
  const code = rpcCodeOf(error);
  const reason = reasonOf(error);
  const options = { cause: error };
  if (code === WALLET_CODE.insufficientFunds || /insufficient funds|not enough funds/i.test(reason)) {
    return new PoolError('insufficient_funds', reason, options);
  }
  if (code === WALLET_CODE.unlockNeeded) return new PoolError('wallet_locked', reason, options);
  if (code === WALLET_CODE.wrongPassphrase) return new PoolError('wallet_locked', 'the passphrase is wrong', options);
  if (code === WALLET_CODE.keypoolRanOut) {
    return new PoolError('wallet_locked', `the wallet is out of keys for change: ${reason}`, options);
  }
  if (/too large|too big|weight/i.test(reason)) {
    return new PoolError('invalid_data', reason, { details: { reason: 'too_large' }, cause: error });
  }
  const address = outputs.find((output) => reason.includes(output.address))?.address;
  if (address !== undefined) return new PoolError('invalid_argument', reason, { details: { address }, cause: error });
  if (/address|amount|dust|too small/i.test(reason)) return new PoolError('invalid_argument', reason, options);
  return error;
}

/** Refusals of a broadcast that say that the node has the transaction already. */
const ALREADY_THERE = /already in (the )?(mempool|block chain|utxo set|chain)|already[- ]known|txn-already-in-mempool/i;

/**
 * What a failed broadcast means: undefined when the node has the transaction anyway.
 * Errors of transport, and of a node that is not ready, come back as they are.
 */
export function broadcastError(error: unknown, isTransient: (error: unknown) => boolean): unknown {
  if (!isPoolError(error, 'rpc_error') || isTransient(error)) return error;
  const reason = reasonOf(error);
  if (rpcCodeOf(error) === WALLET_CODE.alreadyInChain || ALREADY_THERE.test(reason)) return undefined;
  return new PoolError('rejected', reason === '' ? errorMessage(error) : reason, { cause: error });
}
