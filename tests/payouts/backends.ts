import { randomBytes } from 'node:crypto';
import { type Coin, resolveCoin } from '@headframe/coins';
import { createRpcClient } from '@headframe/daemon';
import { bcoinWallet, coreWallet, type Wallet } from '@headframe/payouts';
import { PoolError } from '@headframe/primitives';
import type { Process } from '../../packages/payouts/test/support/faults.js';
import { startBcoin, type TestNode } from '../nodes/bcoin.js';
import { startLitecoind } from '../nodes/litecoind.js';
import { type Chain, chainOf } from '../support/chain.js';
import { freePort } from '../support/free-port.js';
import { segwitAddress } from '../support/script.js';
import { waitFor } from '../support/wait.js';

/** A real node with a wallet that has coins to spend. */
export interface Backend {
  readonly node: TestNode;
  readonly chain: Chain;
  readonly coin: Coin;
  /** Prefix of its segwit addresses. */
  readonly prefix: string;
  /** The wallet as one process has it: each of its calls to the outside is a boundary of that process. */
  wallet(process: Process, options?: { readonly passphrase?: string }): Wallet;
  /** Mines to somebody else, and waits until the wallet has seen it. */
  mine(count: number): Promise<void>;
  /** What the transactions in blocks above a height pay, by script in hex. */
  receivedSince(height: number): Promise<Map<string, bigint>>;
  /** Takes the block of this hash and all above it off the chain. */
  invalidate(hash: string): Promise<void>;
  /** Encrypts the wallet and locks it. */
  encrypt(passphrase: string): Promise<void>;
  close(): Promise<void>;
}

const lost = (): PoolError => new PoolError('rpc_timeout', 'no answer');

/** Calls of the wallet's RPC go through the process. */
function rpcOf(process: Process): typeof createRpcClient {
  return (options) => {
    const client = createRpcClient(options);
    return {
      url: client.url,
      call: (method, params, callOptions) =>
        process.boundary(`rpc ${method}`, () => client.call(method, params, callOptions), lost),
      batch: (calls, callOptions) => client.batch(calls, callOptions),
      close: () => client.close(),
    };
  };
}

/** Sums of outputs by script. */
async function receivedSince(chain: Chain, height: number): Promise<Map<string, bigint>> {
  const sums = new Map<string, bigint>();
  for (let at = height + 1; at <= (await chain.height()); at++) {
    const block = await chain.block(await chain.node.rpc('getblockhash', at));
    for (const { vout } of block.tx) {
      for (const { value, scriptPubKey } of vout) {
        sums.set(scriptPubKey.hex, (sums.get(scriptPubKey.hex) ?? 0n) + BigInt(Math.round(value * 1e8)));
      }
    }
  }
  return sums;
}

/** litecoind with a wallet `pool` that has mined. */
export async function litecoinBackend(): Promise<Backend> {
  const node = await startLitecoind();
  const chain = chainOf(node, 'litecoind');
  await node.rpc('createwallet', 'pool');
  const address = await node.rpc<string>('getnewaddress');
  await node.rpc('generatetoaddress', 30, address);
  await chain.mine(101);
  const coin = resolveCoin('litecoin', 'regtest');
  return {
    node,
    chain,
    coin,
    prefix: 'rltc',
    wallet: (process, options = {}) =>
      coreWallet(
        { url: node.url, user: node.user, password: node.password, coin, name: 'pool', ...options },
        { rpc: rpcOf(process) },
      ),
    // To a new address each time: after a reorganisation the same block would be refused.
    mine: async (count) => {
      await node.rpc('generatetoaddress', count, segwitAddress('rltc', randomBytes(20)));
    },
    receivedSince: (height) => receivedSince(chain, height),
    invalidate: (hash) => node.rpc('invalidateblock', hash),
    encrypt: (passphrase) => node.rpc('encryptwallet', passphrase),
    close: () => node.close(),
  };
}

/** bcoin with its wallet, which has mined. */
export async function bcoinBackend(): Promise<Backend> {
  const walletPort = await freePort();
  const node = await startBcoin({ walletPort });
  const chain = chainOf(node, 'bcoin');
  const url = `http://127.0.0.1:${walletPort}`;
  const authorization = `Basic ${Buffer.from(`x:${node.password}`).toString('base64')}`;
  const ask = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const headers = { authorization, 'content-type': 'application/json', connection: 'close' };
    const response = await fetch(`${url}${path}`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
    return (await response.json()) as T;
  };
  const { address } = await ask<{ address: string }>('POST', '/wallet/primary/address', { account: 'default' });
  await node.rpc('generatetoaddress', 30, address);
  await chain.mine(101);
  await waitFor('the wallet to follow the chain', async () => {
    const { confirmed } = await ask<{ confirmed: number }>('GET', '/wallet/primary/balance');
    return confirmed === 30 * 50e8;
  });
  const base = resolveCoin('bitcoin', 'regtest');
  const coin: Coin = { ...base, addresses: { p2pkh: [60], p2sh: [38], bech32: 'rb', taproot: false } };
  return {
    node,
    chain,
    coin,
    prefix: 'rb',
    wallet: (process, options = {}) =>
      bcoinWallet(
        {
          coin,
          url,
          password: node.password,
          node: { url: node.url, user: node.user, password: node.password },
          ...options,
        },
        {
          rpc: rpcOf(process),
          fetch: (input, init) =>
            process.boundary(
              `${init?.method} ${String(input).replace(/^http:\/\/[^/]+|[0-9a-f]{64}.*/g, '')}`,
              () => fetch(input, init),
              lost,
            ),
        },
      ),
    // To a new address each time: after a reorganisation the same block would be refused.
    mine: async (count) => {
      await node.rpc('generatetoaddress', count, segwitAddress('rb', randomBytes(20)));
    },
    receivedSince: (height) => receivedSince(chain, height),
    invalidate: (hash) => node.rpc('invalidateblock', hash),
    encrypt: async (passphrase) => {
      await ask('POST', '/wallet/primary/passphrase', { passphrase });
      await ask('POST', '/wallet/primary/lock', {});
    },
    close: () => node.close(),
  };
}
