import { decodeAddress, encodeAddress } from '@headframe/coins';
import { scripthashOf } from '@headframe/electrum';
import { hexToBytes, isPoolError, type Reject, reject } from '@headframe/primitives';
import type { ElectrumContext } from '../sessions/context.js';
import { ELECTRUM_ERROR, type ElectrumFailure, electrumError } from '../sessions/errors.js';
import { type BackendParts, badRequest, guarded } from './parts.js';

const BY_SCRIPT = 'blockchain.scripthash.subscribe';
const BY_ADDRESS = 'blockchain.address.subscribe';
/** What a list counts that is refused for its length: it was read up to there. The default of the longest history. */
const TOO_LARGE_ITEMS = 20_000;

/** Registers `blockchain.scripthash.*`, and the same by address for old clients. */
export function registerScriptMethods(parts: BackendParts): void {
  const { framework, index, subscriptions, coin } = parts;
  const { limits } = framework;

  const subscribe = async (
    scripthash: string,
    key: string,
    method: string,
    { protocol, state }: ElectrumContext,
  ): Promise<unknown> => {
    if (!state.scripts.has(key)) {
      if (state.scripts.size >= limits.subscriptionsPerSession) return reject('rate-limited', 'too many subscriptions');
      if (subscriptions.size >= limits.subscriptions) return reject('busy', 'server busy: too many subscriptions');
    }
    // On the books before the question, so that no change falls between both.
    const subscription = subscriptions.add(protocol, scripthash, key, method);
    const forget = (): void => {
      if (subscription.status === undefined) subscriptions.remove(protocol, key);
    };
    return guarded(async () => {
      try {
        const { status, items } = await index.call('status', scripthash);
        // As much was read as for the history itself.
        state.cost.chargeItems(items);
        if (protocol.session.closed) subscriptions.remove(protocol, key);
        if (status === 'too-large') {
          forget();
          return electrumError(ELECTRUM_ERROR.historyTooLarge, 'history too large');
        }
        subscription.status = status;
        return status;
      } catch (error) {
        forget();
        throw error;
      }
    });
  };

  const list = <Item>(
    question: (scripthash: string) => Promise<readonly Item[]>,
  ): ((scripthash: string, context: ElectrumContext) => Promise<readonly Item[] | ElectrumFailure | Reject>) => {
    return (scripthash, { state }) =>
      guarded(async () => {
        try {
          const items = await question(scripthash);
          state.cost.chargeItems(items.length);
          return items;
        } catch (error) {
          if (isPoolError(error, 'queue_full')) state.cost.chargeItems(TOO_LARGE_ITEMS);
          throw error;
        }
      });
  };
  const history = list((scripthash) => index.call('history', scripthash));
  const mempool = list((scripthash) => index.call('mempoolHistory', scripthash));
  const unspent = list((scripthash) => index.call('unspent', scripthash));
  const balance = (scripthash: string): Promise<unknown> => guarded(() => index.call('balance', scripthash));

  framework.electrumMethod(BY_SCRIPT, ([scripthash], context) => subscribe(scripthash, scripthash, BY_SCRIPT, context));
  framework.electrumMethod('blockchain.scripthash.unsubscribe', ([scripthash], { protocol }) =>
    subscriptions.remove(protocol, scripthash),
  );
  framework.electrumMethod('blockchain.scripthash.get_history', ([scripthash], context) =>
    history(scripthash, context),
  );
  framework.electrumMethod('blockchain.scripthash.get_mempool', ([scripthash], context) =>
    mempool(scripthash, context),
  );
  framework.electrumMethod('blockchain.scripthash.listunspent', ([scripthash], context) =>
    unspent(scripthash, context),
  );
  framework.electrumMethod('blockchain.scripthash.get_balance', ([scripthash]) => balance(scripthash));

  /** Calls `next` with the script hash of an address. */
  const byAddress = <T>(address: string, next: (scripthash: string) => T): T | ElectrumFailure => {
    let script: Uint8Array;
    try {
      script = decodeAddress(coin, address).script;
    } catch (error) {
      if (!isPoolError(error)) throw error;
      return badRequest(`${address.slice(0, 100)} is not an address of ${coin.name} ${coin.network}`);
    }
    return next(scripthashOf(script));
  };
  framework.oldMethod(BY_ADDRESS, ([address], context) =>
    byAddress(address, (scripthash) => subscribe(scripthash, address, BY_ADDRESS, context)),
  );
  framework.oldMethod('blockchain.address.get_history', ([address], context) =>
    byAddress(address, (scripthash) => history(scripthash, context)),
  );
  framework.oldMethod('blockchain.address.get_mempool', ([address], context) =>
    byAddress(address, (scripthash) => mempool(scripthash, context)),
  );
  framework.oldMethod('blockchain.address.listunspent', ([address], context) =>
    byAddress(address, (scripthash) => unspent(scripthash, context)),
  );
  framework.oldMethod('blockchain.address.get_balance', ([address]) => byAddress(address, balance));
  framework.oldMethod('blockchain.address.get_proof', () => badRequest('this server keeps no tree of unspent outputs'));
  framework.oldMethod('blockchain.utxo.get_address', ([txid, position]) =>
    guarded(async () => {
      const script = await index.call('outputScript', txid, position);
      return script === undefined ? null : (encodeAddress(coin, hexToBytes(script)) ?? null);
    }),
  );
}
