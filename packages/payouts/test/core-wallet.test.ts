import { type RpcClient, rpcCodeOf } from '@headframe/daemon';
import { bytesToHex, PoolError } from '@headframe/primitives';
import { describe, expect, it } from 'vitest';
import { coreWallet } from '../src/index.js';
import { parseRawTransaction } from '../src/wallets/raw-transaction.js';
import { addressOf, COIN, scriptOf } from './support/world.js';

type Answers = Readonly<Record<string, (...params: unknown[]) => unknown>>;

const rpcError = (code: number, rpcMessage: string): PoolError =>
  new PoolError('rpc_error', rpcMessage, { details: { code, rpcMessage } });
const fail = (code: number, message: string) => (): never => {
  throw rpcError(code, message);
};

const le = (value: bigint, bytes: number): string => {
  let text = '';
  for (let i = 0; i < bytes; i++) text += ((value >> BigInt(8 * i)) & 255n).toString(16).padStart(2, '0');
  return text;
};
/** A transaction without witness that spends one coin; `salt` stands where a signature would. */
function rawTx(outputs: readonly { readonly script: string; readonly amount: bigint }[], salt = '00'): string {
  const inputs = `01${'11'.repeat(32)}00000000${le(BigInt(salt.length / 2), 1)}${salt}ffffffff`;
  const list = outputs.map(({ script, amount }) => `${le(amount, 8)}${le(BigInt(script.length / 2), 1)}${script}`);
  return `01000000${inputs}${le(BigInt(list.length), 1)}${list.join('')}00000000`;
}

const address = addressOf('ann');
const script = scriptOf(address);
const asked = { address, script: Uint8Array.from(Buffer.from(script, 'hex')), amount: 5_000n };
const change = { script: '51', amount: 1n };
const signedHex = rawTx([{ script, amount: 5_000n }, change]);

const healthy: Answers = {
  getblockchaininfo: () => ({ chain: 'regtest', initialblockdownload: false }),
  getwalletinfo: () => ({}),
  createrawtransaction: () => 'empty',
  fundrawtransaction: () => ({ hex: 'funded', fee: 0.00001 }),
  signrawtransactionwithwallet: () => ({ hex: signedHex, complete: true }),
};

function walletOn(answers: Answers, options: { passphrase?: string; name?: string; address?: string } = {}) {
  const calls: string[] = [];
  const all = { ...healthy, ...answers };
  const client: RpcClient = {
    url: 'http://node/',
    call: async (method, params = []) => {
      calls.push(method);
      const answer = all[method];
      if (answer === undefined) throw rpcError(-32601, 'Method not found');
      return answer(...params);
    },
    batch: () => Promise.resolve([]),
    close: () => {},
  };
  return { calls, wallet: coreWallet({ url: 'http://node', coin: COIN, ...options }, { rpc: () => client }) };
}

describe('coreWallet', () => {
  it('signs, and computes the id from the bytes', async () => {
    const { wallet, calls } = walletOn({});
    const { txid } = parseRawTransaction(signedHex);
    expect(await wallet.sign([asked])).toEqual({ txid, transaction: signedHex, fee: 1_000n });
    expect(calls).not.toContain('sendrawtransaction');
  });

  it.each([
    ['pays somebody else', rawTx([{ script: '52', amount: 5_000n }, change]), 'does not pay 5000'],
    ['pays less', rawTx([{ script, amount: 4_999n }, change]), 'does not pay 5000'],
    ['pays more people', rawTx([{ script, amount: 5_000n }, change, { script: '53', amount: 9n }]), '2 outputs beside'],
    ['is none', 'zz', 'not a transaction'],
  ])('refuses a signed transaction that %s', async (_, hex, message) => {
    const { wallet } = walletOn({ signrawtransactionwithwallet: () => ({ hex, complete: true }) });
    await expect(wallet.sign([asked])).rejects.toMatchObject({
      code: 'invalid_data',
      message: expect.stringContaining(message),
    });
  });

  it('works with nodes from before signrawtransactionwithwallet and replaceable', async () => {
    const { wallet, calls } = walletOn({
      fundrawtransaction: (_, options) => {
        if (options !== undefined) throw rpcError(-3, 'Unexpected key replaceable');
        return { hex: 'funded', fee: 0.01 };
      },
      signrawtransactionwithwallet: fail(-32601, 'Method not found'),
      signrawtransaction: () => ({ hex: signedHex, complete: true }),
      getbalance: () => 12.5,
    });
    expect((await wallet.sign([asked])).fee).toBe(1_000_000n);
    expect(calls).toContain('signrawtransaction');
    expect(await wallet.status()).toEqual({ isReady: true, reason: undefined, spendable: 1_250_000_000n });
  });

  it.each([
    [-4, 'Insufficient funds', { code: 'insufficient_funds' }],
    [-13, 'Error: Please enter the wallet passphrase', { code: 'wallet_locked' }],
    [-4, 'Transaction too large', { code: 'invalid_data', details: { reason: 'too_large' } }],
    [-5, `Invalid Bitcoin address: ${address}`, { code: 'invalid_argument', details: { address } }],
    [-4, 'The transaction amount is too small to send', { code: 'invalid_argument' }],
    [-1, 'something else', { code: 'rpc_error' }],
  ])('tells what error %s "%s" means', async (code, message, expected) => {
    const { wallet } = walletOn({ fundrawtransaction: fail(code, message) });
    await expect(wallet.sign([asked])).rejects.toMatchObject(expected);
  });

  it.each([
    [
      'another network',
      { getblockchaininfo: () => ({ chain: 'main' }) },
      "the wallet's node is on main, the pool on regtest",
    ],
    [
      'a node that downloads',
      { getblockchaininfo: () => ({ chain: 'regtest', initialblockdownload: true }) },
      'downloading',
    ],
    ['no keys', { getwalletinfo: () => ({ private_keys_enabled: false }) }, 'no private keys'],
    ['a scan', { getwalletinfo: () => ({ scanning: { progress: 0.1 } }) }, 'scanning'],
    ['a lock', { getwalletinfo: () => ({ unlocked_until: 0 }) }, 'locked'],
    ['nonsense', { getwalletinfo: () => 7 }, 'no wallet info'],
  ] satisfies [string, Answers, string][])('is not ready with %s', async (_, answers, reason) => {
    const balances = { getbalances: () => ({ mine: { trusted: 1 } }) };
    const status = await walletOn({ ...balances, ...answers }).wallet.status();
    expect(status).toMatchObject({ isReady: false, reason: expect.stringContaining(reason) });
  });

  it('is not ready on a node of another coin', async () => {
    const { wallet } = walletOn({ validateaddress: () => ({ isvalid: false }) }, { address });
    expect((await wallet.status()).reason).toContain('it is not one of bitcoin');
    await expect(wallet.sign([asked])).rejects.toMatchObject({ code: 'not_supported' });
  });

  it('locks again what it has unlocked, also when signing fails', async () => {
    const answers: Answers = {
      getwalletinfo: () => ({ unlocked_until: 0 }),
      walletpassphrase: () => null,
      walletlock: () => null,
      fundrawtransaction: fail(-4, 'Insufficient funds'),
    };
    const { wallet, calls } = walletOn(answers, { passphrase: 'secret' });
    await expect(wallet.sign([asked])).rejects.toMatchObject({ code: 'insufficient_funds' });
    expect(calls.at(-1)).toBe('walletlock');
  });

  it('loads its wallet where the node has not', async () => {
    let isLoaded = false;
    const { wallet, calls } = walletOn(
      {
        getwalletinfo: () => (isLoaded ? {} : fail(-18, 'Requested wallet does not exist or is not loaded')()),
        loadwallet: () => {
          isLoaded = true;
          return {};
        },
      },
      { name: 'pool' },
    );
    await wallet.sign([asked]);
    expect(calls.filter((name) => name === 'loadwallet')).toHaveLength(1);
  });

  it.each([
    [-27, 'Transaction already in block chain', undefined],
    [-26, 'txn-already-in-mempool', undefined],
    [-26, 'min relay fee not met', 'rejected'],
    [-25, 'bad-txns-inputs-missingorspent', 'rejected'],
    [-28, 'Loading block index...', 'rpc_error'],
  ])('takes the answer %s "%s" to a broadcast for %s', async (code, message, expected) => {
    const { wallet } = walletOn({ sendrawtransaction: fail(code, message) });
    const sent = wallet.broadcast({ txid: 'aa', transaction: signedHex, fee: 1n });
    if (expected === undefined) await sent;
    else await expect(sent).rejects.toMatchObject({ code: expected });
  });

  describe('find', () => {
    const own = { txid: parseRawTransaction(signedHex).txid, transaction: signedHex, fee: 1n };
    const nowhere: Answers = {
      gettransaction: fail(-5, 'Invalid or non-wallet transaction id'),
      getmempoolentry: fail(-5, 'Transaction not in mempool'),
      getrawtransaction: fail(-5, 'No such mempool or blockchain transaction'),
    };
    /** A chain of ten blocks, with a transaction at height 8. */
    const chainWith = (hex: string): Answers => {
      const { txid, inputs, outputs } = parseRawTransaction(hex);
      const vin = inputs.map(({ txid: from, index }) => ({ txid: from, vout: index }));
      const vout = outputs.map((one) => ({
        value: Number(one.amount) / 1e8,
        scriptPubKey: { hex: bytesToHex(one.script) },
      }));
      return {
        ...nowhere,
        gettxout: () => null,
        getblockcount: () => 10,
        getblockhash: (height) => `hash${height}`,
        getblockheader: () => ({ time: 1_000 }),
        getblock: (hash) => ({
          tx:
            hash === 'hash8'
              ? [
                  { txid: '00', vin: [{ coinbase: '' }] },
                  { txid, vin, vout },
                ]
              : [],
        }),
      };
    };
    const times = { signedMs: 0 };

    it('never takes "not found" for "will never be"', async () => {
      const gone = { ...nowhere, gettxout: () => ({ value: 1 }) };
      expect(await walletOn(gone).wallet.find(own)).toEqual({ state: 'unknown' });
      // Its coin is spent, but nobody knows by whom.
      const blind = { ...chainWith(signedHex), getblock: () => ({ tx: [] }) };
      expect(await walletOn(blind).wallet.find(own, times)).toEqual({ state: 'unknown' });
    });

    it('finds it in a block that the wallet does not know of', async () => {
      expect(await walletOn(chainWith(signedHex)).wallet.find(own, times)).toEqual({
        state: 'chain',
        confirmations: 3,
      });
    });

    it('knows it again when its signatures were changed', async () => {
      const hex = rawTx([{ script, amount: 5_000n }, change], '0102');
      const { txid } = parseRawTransaction(hex);
      expect(txid).not.toBe(own.txid);
      expect(await walletOn(chainWith(hex)).wallet.find(own, times)).toEqual({
        state: 'chain',
        confirmations: 3,
        txid,
      });
    });

    it('names the transaction that took its coin', async () => {
      const hex = rawTx([{ script: '52', amount: 7n }]);
      const { txid, outputs } = parseRawTransaction(hex);
      const expected = { state: 'conflicted', confirmations: 3, txid, outputs };
      expect(await walletOn(chainWith(hex)).wallet.find(own, times)).toEqual(expected);
      const told: Answers = {
        ...nowhere,
        gettransaction: (asked_) =>
          asked_ === own.txid
            ? { confirmations: -3, walletconflicts: [txid] }
            : { confirmations: 3, hex, walletconflicts: [] },
      };
      expect(await walletOn(told).wallet.find(own)).toEqual(expected);
    });

    it('does not answer while the node is not ready', async () => {
      const { wallet } = walletOn({ gettransaction: fail(-28, 'Loading wallet') });
      const error: unknown = await wallet.find(own).catch((caught: unknown) => caught);
      expect(rpcCodeOf(error)).toBe(-28);
    });
  });
});
