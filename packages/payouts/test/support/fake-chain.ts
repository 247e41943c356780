import { createHash } from 'node:crypto';
import { bytesToHex, hexToBytes, PoolError } from '@headframe/primitives';
import type {
  SignedTransaction,
  SignOptions,
  TransactionState,
  Wallet,
  WalletOutput,
  WalletStatus,
} from '../../src/index.js';

interface Tx {
  readonly txid: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly { readonly script: string; readonly amount: bigint }[];
}

export const FEE = 1_000n;
const CHANGE = 'c0ffee';

/** A chain of blocks with transactions, one mempool, and the coins of one wallet on it. */
export class FakeChain {
  /** Transactions of each block. */
  readonly blocks: Tx[][] = [];
  readonly mempool = new Map<string, Tx>();
  /** What the wallet was given: outpoint to amount. They are on the chain from its beginning. */
  readonly #given = new Map<string, bigint>();
  /** Every transaction that the network ever took. */
  readonly #seen = new Map<string, Tx>();
  #made = 0;

  give(...amounts: readonly bigint[]): void {
    for (const amount of amounts) this.#given.set(`given:${this.#given.size}`, amount);
  }

  mine(count = 1): void {
    for (let i = 0; i < count; i++) {
      this.blocks.push([...this.mempool.values()]);
      this.mempool.clear();
    }
  }

  /**
   * A longer branch takes the place of the last `depth` blocks. Their transactions go back to the mempool (`keep`), are
   * forgotten as after a restart (`drop`), or others mine all that they have ever seen and that is valid (`revive`).
   */
  reorganise(depth: number, mode: 'keep' | 'drop' | 'revive'): void {
    const removed = this.blocks.splice(Math.max(0, this.blocks.length - depth)).flat();
    const branch: Tx[] = [];
    this.blocks.push(branch);
    if (mode === 'keep') for (const tx of removed) this.mempool.set(tx.txid, tx);
    if (mode === 'revive') {
      const known = this.blocks.flat().map(({ txid }) => txid);
      this.mempool.clear();
      for (const tx of this.#seen.values()) if (!known.includes(tx.txid) && this.#isValid(tx)) branch.push(tx);
    }
    for (let left = depth; left > 0; left--) this.blocks.push([]);
    for (const [txid, tx] of this.mempool) if (!this.#isValid(tx)) this.mempool.delete(txid);
  }

  forgetMempool(): void {
    this.mempool.clear();
  }

  *#all(): Generator<Tx> {
    for (const block of this.blocks) yield* block;
    yield* this.mempool.values();
  }

  #amountOf(outpoint: string): bigint | undefined {
    const given = this.#given.get(outpoint);
    if (given !== undefined) return given;
    const [txid, index] = outpoint.split(':');
    for (const tx of this.#all()) if (tx.txid === txid) return tx.outputs[Number(index)]?.amount;
    return undefined;
  }

  spenderOf(outpoint: string): Tx | undefined {
    for (const tx of this.#all()) if (tx.inputs.includes(outpoint)) return tx;
    return undefined;
  }

  #isValid(tx: Tx): boolean {
    return tx.inputs.every((input) => {
      const spender = this.spenderOf(input);
      return this.#amountOf(input) !== undefined && (spender === undefined || spender.txid === tx.txid);
    });
  }

  /** Coins of the wallet that nothing spends. */
  coins(): { readonly outpoint: string; readonly amount: bigint }[] {
    const coins = [...this.#given].map(([outpoint, amount]) => ({ outpoint, amount }));
    for (const tx of this.#all()) {
      for (const [index, { script, amount }] of tx.outputs.entries()) {
        if (script === CHANGE) coins.push({ outpoint: `${tx.txid}:${index}`, amount });
      }
    }
    return coins.filter(({ outpoint }) => this.spenderOf(outpoint) === undefined);
  }

  /** A transaction from the wallet's coins; not sent. */
  build(outputs: Tx['outputs'], avoid: ReadonlySet<string>): Tx {
    const needed = outputs.reduce((sum, { amount }) => sum + amount, FEE);
    const inputs: string[] = [];
    let sum = 0n;
    const coins = this.coins().filter((coin) => !avoid.has(coin.outpoint));
    // Another choice each time, as wallets do: signing twice must not be harmless by chance.
    const first = this.#made % Math.max(1, coins.length);
    for (const { outpoint, amount } of [...coins.slice(first), ...coins.slice(0, first)]) {
      if (sum >= needed) break;
      inputs.push(outpoint);
      sum += amount;
    }
    if (sum < needed) throw new PoolError('insufficient_funds', `${sum} are less than ${needed}`);
    const change = sum - needed;
    const all = change > 0n ? [...outputs, { script: CHANGE, amount: change }] : outputs;
    const txid = createHash('sha256')
      .update(`${++this.#made} ${inputs.join()}`)
      .digest('hex');
    return { txid, inputs, outputs: all };
  }

  accept(tx: Tx): void {
    for (const known of this.#all()) if (known.txid === tx.txid) return;
    if (!this.#isValid(tx)) throw new PoolError('rejected', 'txn-mempool-conflict');
    this.mempool.set(tx.txid, tx);
    this.#seen.set(tx.txid, tx);
  }

  depthOf(txid: string): number | undefined {
    const at = this.blocks.findIndex((block) => block.some((tx) => tx.txid === txid));
    return at < 0 ? undefined : this.blocks.length - at;
  }

  /** What stands in blocks for a script. */
  receivedBy(script: string): bigint {
    let sum = 0n;
    for (const tx of this.blocks.flat())
      for (const output of tx.outputs) if (output.script === script) sum += output.amount;
    return sum;
  }

  /** Somebody with the wallet's keys spends a coin elsewhere. */
  spendOutside(outpoint: string, outputs: Tx['outputs'] = [{ script: 'beef', amount: 1n }]): string {
    const tx: Tx = {
      txid: createHash('sha256').update(`outside ${outpoint}`).digest('hex'),
      inputs: [outpoint],
      outputs,
    };
    this.accept(tx);
    return tx.txid;
  }
}

export function parseTx(hex: string): Tx {
  const { txid, inputs, outputs } = JSON.parse(Buffer.from(hex, 'hex').toString('utf8'));
  return {
    txid,
    inputs,
    outputs: outputs.map(({ script, amount }: { script: string; amount: string }) => ({
      script,
      amount: BigInt(amount),
    })),
  };
}

function encodeTx(tx: Tx): string {
  const outputs = tx.outputs.map(({ script, amount }) => ({ script, amount: String(amount) }));
  return Buffer.from(JSON.stringify({ ...tx, outputs }), 'utf8').toString('hex');
}

/** A wallet on a {@link FakeChain}. */
export class FakeWallet implements Wallet {
  readonly name = 'fake';
  readonly chain: FakeChain;
  /** Outputs of one transaction that it signs at most. */
  maxOutputs = Number.POSITIVE_INFINITY;
  readonly refused = new Set<string>();
  locked = false;
  away = false;
  /** Everything that was ever handed to the network. */
  readonly broadcasts: string[] = [];

  constructor(chain: FakeChain) {
    this.chain = chain;
  }

  async status(): Promise<WalletStatus> {
    const spendable = this.chain.coins().reduce((sum, { amount }) => sum + amount, 0n);
    if (this.away) return { isReady: false, reason: 'the node is away', spendable: undefined };
    return { isReady: !this.locked, reason: this.locked ? 'locked' : undefined, spendable };
  }

  async sign(outputs: readonly WalletOutput[], { avoid = [] }: SignOptions = {}): Promise<SignedTransaction> {
    this.#checkHere();
    if (this.locked) throw new PoolError('wallet_locked', 'the wallet is locked');
    if (outputs.length > this.maxOutputs) {
      throw new PoolError('invalid_data', 'the transaction is too large', { details: { reason: 'too_large' } });
    }
    for (const { address } of outputs) {
      if (this.refused.has(address)) {
        throw new PoolError('invalid_argument', `not for ${address}`, { details: { address } });
      }
    }
    const kept = new Set(avoid.flatMap(({ transaction }) => parseTx(transaction).inputs));
    const tx = this.chain.build(
      outputs.map(({ script, amount }) => ({ script: bytesToHex(script), amount })),
      kept,
    );
    return { txid: tx.txid, transaction: encodeTx(tx), fee: FEE };
  }

  async broadcast(transaction: SignedTransaction): Promise<void> {
    this.#checkHere();
    this.broadcasts.push(transaction.txid);
    this.chain.accept(parseTx(transaction.transaction));
  }

  async find({ txid, transaction }: SignedTransaction): Promise<TransactionState> {
    this.#checkHere();
    const depth = this.chain.depthOf(txid);
    if (depth !== undefined) return { state: 'chain', confirmations: depth };
    if (this.chain.mempool.has(txid)) return { state: 'mempool' };
    for (const input of parseTx(transaction).inputs) {
      const spender = this.chain.spenderOf(input);
      const confirmations = spender === undefined ? undefined : this.chain.depthOf(spender.txid);
      if (spender === undefined || confirmations === undefined) continue;
      const outputs = spender.outputs.map(({ script, amount }) => ({ script: hexToBytes(script), amount }));
      return { state: 'conflicted', confirmations, txid: spender.txid, outputs };
    }
    return { state: 'unknown' };
  }

  async release(): Promise<void> {
    this.#checkHere();
  }

  close(): void {}

  #checkHere(): void {
    if (this.away) throw new PoolError('rpc_unavailable', 'no connection');
  }
}
