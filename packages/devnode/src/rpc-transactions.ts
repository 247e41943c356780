import { decodeAddress } from '@headframe/coins';
import { bytesToHex, hexToBytes, isPoolError, toDisplayHex } from '@headframe/primitives';
import { describeScript } from './addresses.js';
import { Amount, parseAmount } from './amount.js';
import type { Chain } from './chain.js';
import type { Mempool, MempoolEntry } from './mempool.js';
import { parseRaw, type RawTransaction } from './raw-transaction.js';
import { decoded, hexParam, integerParam, isRecord, RPC_ERROR, RpcFault, type RpcMethod, stringParam } from './rpc.js';
import { knownEntry } from './rpc-chain.js';
import {
  outpointKey,
  parseTransaction,
  serializeTransaction,
  type Transaction,
  type TransactionInput,
  type TransactionOutput,
} from './transaction.js';
import type { TransactionIndex } from './transaction-index.js';
import { scriptJson, transactionJson, unfundedJson, virtualSize } from './transaction-json.js';

export interface TransactionContext {
  readonly chain: Chain;
  readonly mempool: Mempool;
  readonly index: TransactionIndex;
  /** Puts a transaction into the mempool; the reason when it is refused. */
  send(transaction: Transaction): string | undefined;
}

const INVALID_ADDRESS = 'Invalid or unsupported Segwit (Bech32) or Base58 encoding.';
const DEFAULT_MAX_FEE_RATE = 10_000_000n; // base units per 1,000 virtual bytes: 0.1 coins, as in Core
const BIP125_SEQUENCE = 0xfffffffd;

/** 64 hex digits. @throws RpcFault -8. */
export function txidParam(params: readonly unknown[], index: number, name: string): string {
  const text = stringParam(params, index, name);
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  throw new RpcFault(
    RPC_ERROR.invalidParameter,
    text.length === 64
      ? `${name} must be hexadecimal string (not '${text}')`
      : `${name} must be of length 64 (not ${text.length}, for '${text}')`,
  );
}

/** The script of an address. @throws RpcFault -5. */
export function addressScript(chain: Chain, address: string): Uint8Array {
  try {
    return decodeAddress(chain.params.coin, address).script;
  } catch (error) {
    if (isPoolError(error)) throw new RpcFault(RPC_ERROR.invalidAddressOrKey, `Invalid Bitcoin address: ${address}`);
    throw error;
  }
}

function inputsOf(value: unknown): TransactionInput[] {
  if (!Array.isArray(value)) throw new RpcFault(RPC_ERROR.type, 'inputs must be an array');
  return value.map((item: unknown) => {
    const { txid, vout, sequence = BIP125_SEQUENCE } = isRecord(item) ? item : {};
    const previousIndex = integerParam([vout], 0, 'vout');
    if (previousIndex < 0) throw new RpcFault(RPC_ERROR.invalidParameter, 'Invalid parameter, vout cannot be negative');
    return {
      previousTxid: hexToBytes(txidParam([txid], 0, 'txid')).reverse(),
      previousIndex,
      scriptSig: new Uint8Array(),
      sequence: integerParam([sequence], 0, 'sequence'),
      witness: [],
    };
  });
}

function dataScript(data: Uint8Array): Uint8Array {
  const { length } = data;
  const push = length <= 75 ? [length] : length <= 0xff ? [0x4c, length] : [0x4d, length & 0xff, length >>> 8];
  if (length > 0xffff) throw new RpcFault(RPC_ERROR.invalidParameter, 'Data is too long');
  return Uint8Array.of(0x6a, ...push, ...data);
}

function outputsOf(chain: Chain, value: unknown): TransactionOutput[] {
  const objects = Array.isArray(value) ? value : [value];
  const seen = new Set<string>();
  return objects.flatMap((object: unknown) => {
    if (!isRecord(object)) throw new RpcFault(RPC_ERROR.invalidParameter, 'Invalid parameter, outputs must be objects');
    return Object.entries(object).map(([name, amount]) => {
      if (seen.has(name)) {
        throw new RpcFault(RPC_ERROR.invalidParameter, `Invalid parameter, duplicated address: ${name}`);
      }
      seen.add(name);
      if (name === 'data') {
        const data = hexParam([amount], 0, 'Data', 'Data must be hexadecimal string');
        return { value: 0n, script: dataScript(data) };
      }
      return { script: addressScript(chain, name), value: parseAmount(amount) };
    });
  });
}

/** The transaction under construction in a parameter. @throws RpcFault -22. */
export function rawParam(params: readonly unknown[]): RawTransaction {
  const failed = 'TX decode failed. Make sure the tx has at least one input.';
  const bytes = hexParam(params, 0, 'hexstring', failed);
  return decoded(() => parseRaw(bytes), failed);
}

function sentParam(params: readonly unknown[]): Transaction {
  const failed = 'TX decode failed. Make sure the tx has at least one input.';
  const bytes = hexParam(params, 0, 'hexstring', failed);
  return decoded(() => parseTransaction(bytes), failed);
}

/** Base units per 1,000 virtual bytes that a caller is ready to pay; 0 is no limit. */
function maxFee(params: readonly unknown[], transaction: Transaction): bigint | undefined {
  const rate = params[1] === undefined || params[1] === null ? DEFAULT_MAX_FEE_RATE : parseAmount(params[1]);
  return rate === 0n ? undefined : (rate * BigInt(virtualSize(transaction))) / 1000n;
}

function entryJson({ transaction, fee, height }: MempoolEntry): Record<string, unknown> {
  return {
    vsize: virtualSize(transaction),
    weight: transaction.weight,
    height,
    fees: { base: new Amount(fee), modified: new Amount(fee) },
    wtxid: toDisplayHex(transaction.wtxid),
  };
}

/** RPC methods about transactions, the mempool and addresses; no wallet. */
export function transactionMethods(node: TransactionContext): Readonly<Record<string, RpcMethod>> {
  const { chain, mempool, index } = node;
  const { coin } = chain.params;
  return {
    getrawmempool: (params) => {
      const entries = [...mempool.entries()];
      if (params[0] !== true) return entries.map(({ transaction }) => transaction.id);
      return Object.fromEntries(entries.map((entry) => [entry.transaction.id, entryJson(entry)]));
    },
    getmempoolentry: (params) => {
      const entry = mempool.get(txidParam(params, 0, 'txid'));
      if (entry === undefined) throw new RpcFault(RPC_ERROR.invalidAddressOrKey, 'Transaction not in mempool');
      return entryJson(entry);
    },
    createrawtransaction: (params) => {
      const [inputs, outputs, lockTime] = params;
      return bytesToHex(
        serializeTransaction({
          inputs: inputsOf(inputs),
          outputs: outputsOf(chain, outputs),
          lockTime: integerParam([lockTime], 0, 'locktime', 0),
        }),
      );
    },
    decoderawtransaction: (params) => {
      const raw = rawParam(params);
      if (raw.inputs.length === 0) return unfundedJson(coin, raw);
      return transactionJson(coin, parseTransaction(serializeTransaction(raw)));
    },
    getrawtransaction: (params) => {
      const id = txidParam(params, 0, 'txid');
      const within = params[2] === undefined || params[2] === null ? undefined : stringParam(params, 2, 'blockhash');
      const found = index.get(id);
      const place = within === undefined ? found?.block : knownEntry(chain, within);
      const transaction =
        within === undefined
          ? (mempool.get(id)?.transaction ?? found?.transaction)
          : place?.block?.transactions.find((other) => other.id === id);
      if (transaction === undefined) {
        const where =
          within === undefined
            ? 'No such mempool or blockchain transaction'
            : 'No such transaction found in the provided block';
        throw new RpcFault(RPC_ERROR.invalidAddressOrKey, `${where}. Use gettransaction for wallet transactions.`);
      }
      if (params[1] !== true && (typeof params[1] !== 'number' || params[1] < 1)) return bytesToHex(transaction.bytes);
      const isActive = place !== undefined && chain.isActive(place);
      return {
        ...(within === undefined ? {} : { in_active_chain: isActive }),
        ...transactionJson(coin, transaction),
        hex: bytesToHex(transaction.bytes),
        ...(place === undefined
          ? {}
          : {
              blockhash: place.id,
              confirmations: isActive ? chain.height - place.height + 1 : 0,
              time: place.header.time,
              blocktime: place.header.time,
            }),
      };
    },
    testmempoolaccept: (params) => {
      const [list] = params;
      if (!Array.isArray(list)) throw new RpcFault(RPC_ERROR.type, 'rawtxs must be an array');
      if (list.length === 0 || list.length > 25) {
        throw new RpcFault(RPC_ERROR.invalidParameter, 'Array must contain between 1 and 25 transactions.');
      }
      return list.map((hex: unknown) => {
        const transaction = sentParam([hex]);
        const result = mempool.check(transaction);
        const names = { txid: transaction.id, wtxid: toDisplayHex(transaction.wtxid) };
        if (!result.ok) {
          const isMissing = result.reason === 'bad-txns-inputs-missingorspent';
          return { ...names, allowed: false, 'reject-reason': isMissing ? 'missing-inputs' : result.reason };
        }
        const most = maxFee(params, transaction);
        if (most !== undefined && result.fee > most)
          return { ...names, allowed: false, 'reject-reason': 'max-fee-exceeded' };
        return { ...names, allowed: true, vsize: virtualSize(transaction), fees: { base: new Amount(result.fee) } };
      });
    },
    sendrawtransaction: (params) => {
      const transaction = sentParam(params);
      const most = maxFee(params, transaction);
      const result = mempool.check(transaction);
      if (result.ok && most !== undefined && result.fee > most) {
        throw new RpcFault(RPC_ERROR.verify, 'Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)');
      }
      const reason = result.ok ? node.send(transaction) : result.reason;
      if (reason === undefined || reason === 'txn-already-in-mempool') return transaction.id;
      if (reason === 'txn-already-known') {
        throw new RpcFault(RPC_ERROR.alreadyInChain, 'Transaction already in block chain');
      }
      throw new RpcFault(reason.includes('missingorspent') ? RPC_ERROR.verify : RPC_ERROR.verifyRejected, reason);
    },
    gettxout: (params) => {
      const txid = txidParam(params, 0, 'txid');
      const key = outpointKey(txid, integerParam(params, 1, 'n'));
      const withMempool = params[2] !== false;
      if (withMempool && mempool.isSpent(key)) return null;
      const found = withMempool ? mempool.coin(key) : chain.coins.get(key);
      if (found === undefined) return null;
      return {
        bestblock: chain.tip.id,
        confirmations: chain.height - found.height + 1,
        value: new Amount(found.value),
        scriptPubKey: scriptJson(coin, found.script),
        coinbase: found.coinbase,
      };
    },
    validateaddress: (params) => {
      const address = stringParam(params, 0, 'address');
      try {
        const { script } = decodeAddress(coin, address);
        const { type, witness } = describeScript(coin, script);
        return {
          isvalid: true,
          address,
          scriptPubKey: bytesToHex(script),
          isscript: type === 'scripthash' || type === 'witness_v0_scripthash',
          iswitness: witness !== undefined,
          ...(witness === undefined
            ? {}
            : { witness_version: witness.version, witness_program: bytesToHex(witness.program) }),
        };
      } catch (error) {
        if (isPoolError(error)) return { isvalid: false, error_locations: [], error: INVALID_ADDRESS };
        throw error;
      }
    },
    estimatesmartfee: (params) => ({
      errors: ['Insufficient data or no feerate found'],
      blocks: integerParam(params, 0, 'conf_target'),
    }),
  };
}
