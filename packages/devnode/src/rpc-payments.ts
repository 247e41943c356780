import { bytesToHex, isPoolError, toDisplayHex } from '@headframe/primitives';
import { describeScript } from './addresses.js';
import { Amount, parseAmount } from './amount.js';
import type { BlockEntry } from './chain.js';
import { DEV_NODE_LIMITS } from './limits.js';
import { integerParam, isRecord, RPC_ERROR, RpcFault, type RpcMethod, stringParam } from './rpc.js';
import { addressScript, rawParam, txidParam } from './rpc-transactions.js';
import { assertUnlocked, type WalletContext } from './rpc-wallet.js';
import { serializeTransaction, spentKey, type Transaction, type TransactionInput } from './transaction.js';
import { transactionJson } from './transaction-json.js';
import type { WalletCoin } from './wallet.js';
import { fundTransaction } from './wallet-funding.js';
import type { WalletTransaction } from './wallet-history.js';

/** Base units per 1,000 virtual bytes when the caller names no rate: what Core is usually given as -fallbackfee. */
const FALLBACK_FEE_RATE = 20_000n;
const MIN_RELAY_FEE_RATE = 1_000n;

function feeRateOf(options: Readonly<Record<string, unknown>>): bigint {
  const { feeRate, fee_rate: perByte } = options;
  const given = (value: unknown): boolean => value !== undefined && value !== null;
  if (given(feeRate) && given(perByte)) {
    const message = 'Cannot specify both fee_rate (sat/vB) and feeRate (BTC/kvB)';
    throw new RpcFault(RPC_ERROR.invalidParameter, message);
  }
  if (!given(feeRate) && !given(perByte)) return FALLBACK_FEE_RATE;
  // sat/vB has three decimals: a thousandth of it is a base unit per 1,000 virtual bytes.
  const rate = given(feeRate) ? parseAmount(feeRate) : parseAmount(perByte) / 100_000n;
  if (rate >= MIN_RELAY_FEE_RATE) return rate;
  const least = given(feeRate) ? '0.00001000 BTC/kvB' : '1.000 sat/vB';
  throw new RpcFault(RPC_ERROR.wallet, `Fee rate is lower than the minimum fee rate setting (${least})`);
}

/** Coins for a payment: confirmed before change that waits, large before small. */
function candidates({ wallet }: WalletContext): WalletCoin[] {
  const coins = [...wallet.coins()].filter(
    ({ key, isTrusted, isMature }) => isTrusted && isMature && !wallet.locked.has(key),
  );
  return coins.sort((a, b) => {
    if (a.confirmations > 0 !== b.confirmations > 0) return a.confirmations > 0 ? -1 : 1;
    return a.value > b.value ? -1 : Number(a.value < b.value);
  });
}

function payersOf(value: unknown, outputs: number): number[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new RpcFault(RPC_ERROR.type, 'subtractFeeFromOutputs must be an array');
  const payers = value.map((position: unknown) => integerParam([position], 0, 'position'));
  const fail = (what: string): RpcFault => new RpcFault(RPC_ERROR.invalidParameter, `Invalid parameter, ${what}`);
  for (const [i, payer] of payers.entries()) {
    if (payers.indexOf(payer) !== i) throw fail(`duplicated position: ${payer}`);
    if (payer < 0) throw fail(`negative position: ${payer}`);
    if (payer >= outputs) throw fail(`position too large: ${payer}`);
  }
  return payers;
}

/** What of a wallet transaction came or went, per output. */
function details(node: WalletContext, transaction: Transaction, record: WalletTransaction | undefined): unknown[] {
  const { wallet, chain } = node;
  const isSent = record !== undefined && record.debit > 0n;
  return transaction.outputs.flatMap(({ value, script }, vout) => {
    const key = wallet.key(script);
    const address = describeScript(chain.params.coin, script).address;
    const named = address === undefined ? {} : { address };
    const lines: unknown[] = [];
    if (isSent && !(key?.isChange ?? false)) {
      const fee = record.fee === undefined ? {} : { fee: new Amount(-record.fee) };
      lines.push({ ...named, category: 'send', amount: new Amount(-value), vout, ...fee, abandoned: record.abandoned });
    }
    if (key !== undefined && !key.isChange) {
      const depth = transaction.isCoinbase ? chain.height - (node.index.get(transaction.id)?.block.height ?? 0) + 1 : 0;
      const isYoung = depth <= chain.params.coinbaseMaturity;
      const category = transaction.isCoinbase ? (isYoung ? 'immature' : 'generate') : 'receive';
      lines.push({ ...named, category, amount: new Amount(value), vout });
    }
    return lines;
  });
}

/** RPC methods that build, sign and look at payments of the wallet. */
export function paymentMethods(node: WalletContext): Readonly<Record<string, RpcMethod>> {
  const { chain, wallet, index, mempool } = node;
  return {
    fundrawtransaction: (params) => {
      const raw = rawParam(params);
      const options = isRecord(params[1]) ? params[1] : {};
      const feeRate = feeRateOf(options);
      if (raw.outputs.length === 0) throw new RpcFault(RPC_ERROR.invalidParameter, 'TX must have at least one output');
      if (raw.outputs.some(({ value, script }) => value < 294n && script[0] !== 0x6a)) {
        throw new RpcFault(RPC_ERROR.wallet, 'Transaction amount too small');
      }
      const { changeAddress, changePosition } = options;
      const fixedChange =
        changeAddress === undefined
          ? undefined
          : addressScript(chain, stringParam([changeAddress], 0, 'changeAddress'));
      const place = changePosition === undefined ? undefined : integerParam([changePosition], 0, 'changePosition');
      if (place !== undefined && (place < 0 || place > raw.outputs.length)) {
        throw new RpcFault(RPC_ERROR.invalidParameter, 'changePosition out of bounds');
      }
      const present = raw.inputs.map((input) => wallet.output(spentKey(input)));
      if (present.some((coin) => coin === undefined)) {
        throw new RpcFault(RPC_ERROR.wallet, 'Unable to find UTXO for external input');
      }
      const taken = new Set(raw.inputs.map(spentKey));
      const mayAdd = options.add_inputs !== false;
      try {
        const funded = fundTransaction(raw, {
          coins: mayAdd ? candidates(node).filter(({ key }) => !taken.has(key)) : [],
          valueIn: present.reduce((sum, coin) => sum + (coin?.value ?? 0n), 0n),
          feeRate,
          changeScript: () => fixedChange ?? wallet.newKey(true).script,
          changePosition: place,
          // BIP 125: the wallet's transactions say that they may be replaced unless told otherwise.
          sequence: options.replaceable === false ? 0xfffffffe : 0xfffffffd,
          subtractFeeFrom: payersOf(options.subtractFeeFromOutputs, raw.outputs.length),
        });
        if (options.lockUnspents === true) lockInputs(node, funded.transaction.inputs.map(spentKey));
        const hex = bytesToHex(serializeTransaction(funded.transaction));
        return { hex, fee: new Amount(funded.fee), changepos: funded.changePosition };
      } catch (error) {
        if (isPoolError(error)) throw new RpcFault(RPC_ERROR.wallet, error.message);
        throw error;
      }
    },
    signrawtransactionwithwallet: (params) => {
      const raw = rawParam(params);
      assertUnlocked(wallet);
      const signed = wallet.sign(raw);
      const errors = signed.inputs.flatMap((input) => {
        const coin = wallet.output(spentKey(input));
        const isReady = coin !== undefined && (wallet.key(coin.script) !== undefined || input.witness.length > 0);
        if (isReady) return [];
        return {
          txid: toDisplayHex(input.previousTxid),
          vout: input.previousIndex,
          witness: input.witness.map(bytesToHex),
          scriptSig: bytesToHex(input.scriptSig),
          sequence: input.sequence,
          error:
            coin === undefined
              ? 'Input not found or already spent'
              : 'Unable to sign input, invalid stack size (possibly missing key)',
        };
      });
      const hex = bytesToHex(serializeTransaction(signed));
      return { hex, complete: errors.length === 0, ...(errors.length === 0 ? {} : { errors }) };
    },
    gettransaction: (params) => {
      const id = txidParam(params, 0, 'txid');
      const record = wallet.history.get(id);
      const indexed = index.get(id);
      const transaction = record?.transaction ?? indexed?.transaction;
      const isOurs =
        record !== undefined || transaction?.outputs.some(({ script }) => wallet.key(script) !== undefined);
      if (transaction === undefined || isOurs !== true) {
        throw new RpcFault(RPC_ERROR.invalidAddressOrKey, 'Invalid or non-wallet transaction id');
      }
      const block: BlockEntry | undefined = record === undefined ? indexed?.block : wallet.history.depth(record).block;
      const depth =
        record === undefined && block !== undefined
          ? chain.height - block.height + 1
          : record === undefined
            ? 0
            : wallet.history.depth(record).confirmations;
      const credit = transaction.outputs.reduce(
        (sum, { value, script }) => sum + (wallet.key(script) === undefined ? 0n : value),
        0n,
      );
      const time = record?.time ?? block?.header.time ?? 0;
      return {
        // As in Core, without the fee, which stands apart.
        amount: new Amount(credit - (record?.debit ?? 0n) + (record?.fee ?? 0n)),
        ...(record?.fee === undefined ? {} : { fee: new Amount(-record.fee) }),
        confirmations: depth,
        ...(transaction.isCoinbase ? { generated: true } : {}),
        ...(block === undefined
          ? { trusted: mempool.get(id) !== undefined && record?.fee !== undefined }
          : {
              blockhash: block.id,
              blockheight: block.height,
              blockindex: Math.max(0, block.block?.transactions.findIndex((other) => other.id === id) ?? 0),
              blocktime: block.header.time,
            }),
        txid: id,
        wtxid: toDisplayHex(transaction.wtxid),
        walletconflicts: record === undefined ? [] : wallet.history.rivals(record),
        time,
        timereceived: time,
        'bip125-replaceable': block === undefined && transaction.inputs.some(isReplaceable) ? 'yes' : 'no',
        details: details(node, transaction, record),
        hex: bytesToHex(transaction.bytes),
        ...(params[2] === true ? { decoded: transactionJson(chain.params.coin, transaction) } : {}),
        lastprocessedblock: { hash: chain.tip.id, height: chain.height },
      };
    },
    abandontransaction: (params) => {
      const id = txidParam(params, 0, 'txid');
      const record = wallet.history.get(id);
      if (record === undefined) {
        throw new RpcFault(RPC_ERROR.invalidAddressOrKey, 'Invalid or non-wallet transaction id');
      }
      if (mempool.get(id) !== undefined || wallet.history.depth(record).confirmations > 0) {
        throw new RpcFault(RPC_ERROR.invalidAddressOrKey, 'Transaction not eligible for abandonment');
      }
      record.abandoned = true;
    },
  };
}

function isReplaceable({ sequence }: TransactionInput): boolean {
  return sequence < 0xfffffffe;
}

function lockInputs({ wallet }: WalletContext, keys: readonly string[]): void {
  if (wallet.locked.size + keys.length > DEV_NODE_LIMITS.maxLockedOutputs) {
    throw new RpcFault(RPC_ERROR.wallet, 'too many locked outputs');
  }
  for (const key of keys) wallet.locked.add(key);
}
