import { hexToBytes, isAtMostLe, uint256ToBytesLe } from '@headframe/primitives';
import { merkleRoot, serializeBlock, serializeHeader } from '../src/block.js';
import { commitmentScript, heightPush } from '../src/checks.js';
import { sha256d } from '../src/hashes.js';
import type { DevNode } from '../src/index.js';
import { targetOfBits } from '../src/target.js';
import { buildTransaction, parseTransaction, type Transaction, type TransactionOutput } from '../src/transaction.js';

export interface BlockParts {
  version: number;
  /** Display hex. */
  previous: string;
  time: number;
  bits: number;
  height: number;
  scriptSig: Uint8Array;
  witness: Uint8Array[];
  outputs: TransactionOutput[];
  transactions: Transaction[];
  merkleRoot: Uint8Array | undefined;
  /** Undefined: search for one that passes. */
  nonce: number | undefined;
}

interface Template {
  readonly height: number;
  readonly previousblockhash: string;
  readonly curtime: number;
  readonly bits: string;
  readonly coinbasevalue: number;
  readonly transactions: readonly { readonly data: string }[];
}

const PAYEE = Uint8Array.of(0x51);

/** The parts of a valid block on the node's template, for a test to spoil one of them. */
export function blockParts(node: DevNode): BlockParts {
  const template = node.template() as unknown as Template;
  const transactions = template.transactions.map(({ data }) => parseTransaction(hexToBytes(data)));
  const { height } = template;
  return {
    version: 0x20000000,
    previous: template.previousblockhash,
    time: template.curtime,
    bits: Number.parseInt(template.bits, 16),
    height,
    scriptSig: Uint8Array.of(...heightPush(height), 0x01, 0x00),
    witness: [new Uint8Array(32)],
    outputs: [
      { value: BigInt(template.coinbasevalue), script: PAYEE },
      { value: 0n, script: commitmentScript(transactions) },
    ],
    transactions,
    merkleRoot: undefined,
    nonce: undefined,
  };
}

/** Serialises the parts, finding a nonce. */
export function buildBlock(parts: BlockParts): Uint8Array {
  const { scriptSig, witness, outputs } = parts;
  const input = {
    previousTxid: new Uint8Array(32),
    previousIndex: 0xffffffff,
    scriptSig,
    sequence: 0xffffffff,
    witness,
  };
  const all = [buildTransaction({ inputs: [input], outputs }), ...parts.transactions];
  const target = uint256ToBytesLe(targetOfBits(parts.bits) ?? 0n);
  for (let nonce = parts.nonce ?? 0; ; nonce++) {
    const header = serializeHeader({
      version: parts.version,
      previousHash: hexToBytes(parts.previous).reverse(),
      merkleRoot: parts.merkleRoot ?? merkleRoot(all.map(({ txid }) => txid)).root,
      time: parts.time,
      bits: parts.bits,
      nonce,
    });
    if (parts.nonce !== undefined || isAtMostLe(sha256d(header), 0, target)) return serializeBlock(header, all);
  }
}

/** A valid block with one part spoilt. */
export function spoiltBlock(node: DevNode, spoil: (parts: BlockParts) => void): Uint8Array {
  const parts = blockParts(node);
  spoil(parts);
  return buildBlock(parts);
}
