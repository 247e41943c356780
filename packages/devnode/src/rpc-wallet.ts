import { bytesToHex } from '@headframe/primitives';
import { describeScript } from './addresses.js';
import { Amount } from './amount.js';
import type { Chain } from './chain.js';
import { DEV_NODE_LIMITS } from './limits.js';
import type { Mempool } from './mempool.js';
import { integerParam, isRecord, RPC_ERROR, RpcFault, type RpcMethod, stringParam } from './rpc.js';
import { addressScript, txidParam } from './rpc-transactions.js';
import { outpointKey } from './transaction.js';
import type { TransactionIndex } from './transaction-index.js';
import type { Wallet, WalletCoin } from './wallet.js';

export interface WalletContext {
  readonly chain: Chain;
  readonly mempool: Mempool;
  readonly index: TransactionIndex;
  readonly wallet: Wallet;
}

const MAX_PASSPHRASE_SECONDS = 100_000_000; // as in Core

/** Base units by how far one can rely on them. */
function balances(wallet: Wallet): { readonly trusted: bigint; readonly pending: bigint; readonly immature: bigint } {
  let [trusted, pending, immature] = [0n, 0n, 0n];
  for (const { value, isMature, isTrusted } of wallet.coins()) {
    if (!isMature) immature += value;
    else if (isTrusted) trusted += value;
    else pending += value;
  }
  return { trusted, pending, immature };
}

/** @throws RpcFault -13 while the wallet is locked. */
export function assertUnlocked(wallet: Wallet): void {
  if (!wallet.isLocked) return;
  const message = 'Error: Please enter the wallet passphrase with walletpassphrase first.';
  throw new RpcFault(RPC_ERROR.unlockNeeded, message);
}

function assertEncrypted(wallet: Wallet, method: string): void {
  if (wallet.isEncrypted) return;
  const message = `Error: running with an unencrypted wallet, but ${method} was called.`;
  throw new RpcFault(RPC_ERROR.wrongEncryptionState, message);
}

/** RPC methods that load and unload the wallet: they answer also while it is not loaded. */
export function walletLoading(wallet: Wallet): Readonly<Record<string, RpcMethod>> {
  return {
    listwallets: () => (wallet.isLoaded ? [wallet.name] : []),
    loadwallet: (params) => {
      const name = stringParam(params, 0, 'filename');
      if (name !== wallet.name) {
        const message = `Wallet file verification failed. Failed to load database path '${name}'. Path does not exist.`;
        throw new RpcFault(RPC_ERROR.walletNotFound, message);
      }
      if (wallet.isLoaded) {
        throw new RpcFault(RPC_ERROR.walletAlreadyLoaded, `Wallet "${name}" is already loaded.`);
      }
      wallet.isLoaded = true;
      return { name, warnings: [] };
    },
    unloadwallet: () => {
      if (!wallet.isLoaded) throw notLoaded();
      wallet.isLoaded = false;
      return { warnings: [] };
    },
  };
}

function notLoaded(): RpcFault {
  return new RpcFault(RPC_ERROR.walletNotFound, 'Requested wallet does not exist or is not loaded');
}

/** The same methods, which fail while the wallet is not loaded. */
export function whileLoaded(
  wallet: Wallet,
  methods: Readonly<Record<string, RpcMethod>>,
): Readonly<Record<string, RpcMethod>> {
  const guarded = Object.entries(methods).map(([name, method]): [string, RpcMethod] => [
    name,
    (params, signal) => {
      if (!wallet.isLoaded) throw notLoaded();
      return method(params, signal);
    },
  ]);
  return Object.fromEntries(guarded);
}

/** RPC methods about the wallet as a whole, its addresses and coins. */
export function walletMethods(node: WalletContext): Readonly<Record<string, RpcMethod>> {
  const { chain, wallet } = node;
  const { coin } = chain.params;
  const addressOf = (script: Uint8Array): string => describeScript(coin, script).address ?? '';
  return {
    getwalletinfo: () => {
      const { trusted, pending, immature } = balances(wallet);
      return {
        walletname: wallet.name,
        walletversion: 169_900,
        format: 'sqlite',
        balance: new Amount(trusted),
        unconfirmed_balance: new Amount(pending),
        immature_balance: new Amount(immature),
        txcount: wallet.history.size,
        keypoolsize: DEV_NODE_LIMITS.maxWalletKeys - wallet.keyCount,
        ...(wallet.isEncrypted ? { unlocked_until: Math.floor(wallet.unlockedUntilMs / 1000) } : {}),
        paytxfee: new Amount(0n),
        private_keys_enabled: true,
        avoid_reuse: false,
        scanning: false,
        descriptors: true,
        external_signer: false,
        blank: false,
        lastprocessedblock: { hash: chain.tip.id, height: chain.height },
      };
    },
    getbalances: () => {
      const { trusted, pending, immature } = balances(wallet);
      return {
        mine: { trusted: new Amount(trusted), untrusted_pending: new Amount(pending), immature: new Amount(immature) },
        lastprocessedblock: { hash: chain.tip.id, height: chain.height },
      };
    },
    getbalance: (params) => {
      if (params[0] !== undefined && params[0] !== null && params[0] !== '*') {
        throw new RpcFault(RPC_ERROR.methodNotFound, 'dummy first argument must be excluded or set to "*".');
      }
      const atLeast = integerParam(params, 1, 'minconf', 0);
      let sum = 0n;
      for (const { value, isMature, isTrusted, confirmations } of wallet.coins()) {
        if (isMature && isTrusted && confirmations >= atLeast) sum += value;
      }
      return new Amount(sum);
    },
    getnewaddress: () => addressOf(wallet.newKey().script),
    getrawchangeaddress: () => addressOf(wallet.newKey(true).script),
    getaddressinfo: (params) => {
      const address = stringParam(params, 0, 'address');
      const script = addressScript(chain, address);
      const { type, witness } = describeScript(coin, script);
      const key = wallet.key(script);
      return {
        address,
        scriptPubKey: bytesToHex(script),
        ismine: key !== undefined,
        solvable: key !== undefined,
        iswatchonly: false,
        isscript: type === 'scripthash' || type === 'witness_v0_scripthash',
        iswitness: witness !== undefined,
        ...(witness === undefined
          ? {}
          : { witness_version: witness.version, witness_program: bytesToHex(witness.program) }),
        ...(key === undefined ? {} : { pubkey: bytesToHex(key.publicKey) }),
        ischange: key?.isChange ?? false,
        labels: [],
      };
    },
    listunspent: (params) => {
      const [least, most] = [integerParam(params, 0, 'minconf', 1), integerParam(params, 1, 'maxconf', 9_999_999)];
      const addresses = Array.isArray(params[2]) ? params[2].map(String) : [];
      const wanted = new Set(addresses.map((address) => bytesToHex(addressScript(chain, address))));
      const withUnsafe = params[3] !== false;
      const isListed = ({ key, confirmations, isMature, isTrusted, script }: WalletCoin): boolean =>
        isMature &&
        !wallet.locked.has(key) &&
        confirmations >= least &&
        confirmations <= most &&
        (withUnsafe || isTrusted) &&
        (wanted.size === 0 || wanted.has(bytesToHex(script)));
      return [...wallet.coins()].filter(isListed).map((found) => ({
        txid: found.txid,
        vout: found.index,
        address: addressOf(found.script),
        scriptPubKey: bytesToHex(found.script),
        amount: new Amount(found.value),
        confirmations: found.confirmations,
        spendable: true,
        solvable: true,
        safe: found.isTrusted,
      }));
    },
    lockunspent: (params) => {
      const [unlock, outputs] = params;
      if (typeof unlock !== 'boolean') throw new RpcFault(RPC_ERROR.type, 'unlock must be a boolean');
      if (outputs === undefined || outputs === null) {
        if (unlock) wallet.locked.clear();
        return true;
      }
      if (!Array.isArray(outputs)) throw new RpcFault(RPC_ERROR.type, 'transactions must be an array');
      const keys = outputs.map((output: unknown) => lockedKey(node, output, unlock));
      if (!unlock && wallet.locked.size + keys.length > DEV_NODE_LIMITS.maxLockedOutputs) {
        throw new RpcFault(RPC_ERROR.wallet, 'too many locked outputs');
      }
      for (const key of keys) {
        if (unlock) wallet.locked.delete(key);
        else wallet.locked.add(key);
      }
      return true;
    },
    listlockunspent: () => [...wallet.locked].map((key) => ({ txid: key.slice(0, 64), vout: Number(key.slice(65)) })),
    encryptwallet: (params) => {
      if (wallet.isEncrypted) {
        const message = 'Error: running with an encrypted wallet, but encryptwallet was called.';
        throw new RpcFault(RPC_ERROR.wrongEncryptionState, message);
      }
      const passphrase = stringParam(params, 0, 'passphrase');
      if (passphrase === '') throw new RpcFault(RPC_ERROR.invalidParameter, 'passphrase cannot be empty');
      wallet.encrypt(passphrase);
      return 'wallet encrypted; The keypool has been flushed. You need to make a new backup with the backupwallet RPC.';
    },
    walletpassphrase: (params) => {
      assertEncrypted(wallet, 'walletpassphrase');
      const [passphrase, seconds] = [stringParam(params, 0, 'passphrase'), integerParam(params, 1, 'timeout')];
      if (seconds < 0) throw new RpcFault(RPC_ERROR.invalidParameter, 'Timeout cannot be negative.');
      if (wallet.unlock(passphrase, Math.min(seconds, MAX_PASSPHRASE_SECONDS))) return null;
      throw new RpcFault(RPC_ERROR.passphraseIncorrect, 'Error: The wallet passphrase entered was incorrect.');
    },
    walletlock: () => {
      assertEncrypted(wallet, 'walletlock');
      wallet.lock();
    },
  };
}

function lockedKey({ wallet, mempool, index }: WalletContext, output: unknown, unlock: boolean): string {
  const { txid, vout } = isRecord(output) ? output : {};
  const id = txidParam([txid], 0, 'txid');
  const place = integerParam([vout], 0, 'vout');
  const key = outpointKey(id, place);
  const fail = (what: string): RpcFault => new RpcFault(RPC_ERROR.invalidParameter, `Invalid parameter, ${what}`);
  const known = index.get(id)?.transaction ?? mempool.get(id)?.transaction ?? wallet.history.get(id)?.transaction;
  if (known === undefined) throw fail('unknown transaction');
  if (place < 0 || place >= known.outputs.length) throw fail('vout index out of bounds');
  const isUnspent = mempool.coin(key) !== undefined && !mempool.isSpent(key);
  if (!unlock && !isUnspent) throw fail('expected unspent output');
  if (unlock && !wallet.locked.has(key)) throw fail('expected locked output');
  if (!unlock && wallet.locked.has(key)) throw fail('output already locked');
  return key;
}
