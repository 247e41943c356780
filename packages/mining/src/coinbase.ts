import { ByteWriter, compactSizeLength, concatBytes, PoolError } from '@headframe/primitives';
import { encodeBip34Height } from './bip34.js';
import { HEADER_BYTES } from './header.js';
import { splitReward } from './reward.js';
import type { BlockTemplate } from './types.js';

/** Consensus: a coinbase scriptSig has 2 to 100 bytes. */
const MAX_SCRIPT_SIG = 100;
/** Job stamp: the job id as 4 big-endian bytes, so that no two jobs can share a header. */
const STAMP_BYTES = 4;
/** What the most tolerant firmware takes (stratum-v1 notes, coinbase size by agent). Pools with old rigs set 500 to 750. */
export const DEFAULT_MAX_COINBASE_BYTES = 16_384;
/** Dash DIP 4: transaction version 3, type 5 (coinbase with extra payload). */
const DIP4_COINBASE_VERSION = 3 | (5 << 16);

/** One output that the pool chooses. The reward is divided in proportion to the parts. */
export interface PayoutOutput {
  readonly script: Uint8Array;
  /** Positive integer. Default 1. */
  readonly parts?: number;
}

/** An output as it stands in the coinbase. */
export interface CoinbaseOutput {
  readonly script: Uint8Array;
  /** Base units. */
  readonly amount: bigint;
}

/** How coinbases are written; everything has a default. */
export interface CoinbaseStyle {
  /** Transaction version, default 2. A Dash payload overrides it. */
  readonly version?: number;
  /** Input sequence, default ffffffff. */
  readonly sequence?: number;
  /** Lock time, default 0. */
  readonly lockTime?: number;
  /** BIP 54: lock time = height - 1 and sequence fffffffe, whatever the two fields above say. */
  readonly bip54?: boolean;
  /** Most bytes the whole coinbase may have without witness; {@link DEFAULT_MAX_COINBASE_BYTES}. */
  readonly maxBytes?: number;
  /** Bytes between coinbaseaux and the stamp: the merged-mining tag. */
  readonly extra?: Uint8Array;
}

export interface CoinbaseOptions {
  readonly template: BlockTemplate;
  readonly outputs: readonly PayoutOutput[];
  /** Stands after the extranonce, at the end of the scriptSig. */
  readonly poolTag: Uint8Array;
  /** Unsigned 32-bit; the job id. */
  readonly stamp: number;
  readonly extranonceLength: number;
  readonly style?: CoinbaseStyle;
}

/** A coinbase with a gap for the extranonce, without witness. */
export interface BuiltCoinbase {
  readonly coinbase1: Uint8Array;
  readonly coinbase2: Uint8Array;
  /** Where in coinbase1 the 4-byte stamp lies. */
  readonly stampOffset: number;
  /** What the payout outputs get together. Base units. */
  readonly reward: bigint;
  readonly outputs: readonly CoinbaseOutput[];
}

/**
 * Builds the coinbase of a template.
 * scriptSig = height | coinbaseaux | extra | stamp | extranonce | pool tag.
 * Outputs = payouts, then what the template prescribes, then the witness commitment.
 *
 * @throws PoolError `coinbase_too_large` when scriptSig, coinbase or block pass their bound (the sum is shown),
 *   `invalid_template` when the template prescribes more than the block is worth.
 */
export function buildCoinbase(options: CoinbaseOptions): BuiltCoinbase {
  const { template, extranonceLength } = options;
  const style = options.style ?? {};
  const head = scriptSigHead(options);
  const scriptLength = head.length + STAMP_BYTES + extranonceLength + options.poolTag.length;
  if (scriptLength > MAX_SCRIPT_SIG) throw scriptSigTooLarge(options, scriptLength);

  const { payouts, reward } = splitReward(template, options.outputs);
  const outputs: CoinbaseOutput[] = [...payouts, ...template.requiredOutputs];
  // Nodes take the last output that looks like a commitment (BIP 141).
  if (template.witnessCommitment) outputs.push({ script: template.witnessCommitment, amount: 0n });

  const payload = template.coinbasePayload;
  const part1 = new ByteWriter(128)
    .u32le(payload ? DIP4_COINBASE_VERSION : (style.version ?? 2))
    .u8(1)
    .write(new Uint8Array(32))
    .u32le(0xffffffff)
    .compactSize(scriptLength)
    .write(head);
  const stampOffset = part1.length;
  part1.write(stampBytes(options.stamp));

  const part2 = new ByteWriter(256)
    .write(options.poolTag)
    .u32le(style.bip54 ? 0xfffffffe : (style.sequence ?? 0xffffffff))
    .compactSize(outputs.length);
  for (const { script, amount } of outputs) part2.u64le(amount).compactSize(script.length).write(script);
  part2.u32le(style.bip54 ? Math.max(0, template.height - 1) : (style.lockTime ?? 0));
  if (payload) part2.compactSize(payload.length).write(payload);

  const total = part1.length + extranonceLength + part2.length;
  const limit = style.maxBytes ?? DEFAULT_MAX_COINBASE_BYTES;
  if (total > limit) {
    throw new PoolError(
      'coinbase_too_large',
      `the coinbase would have ${total} bytes, ${limit} are allowed: ${part1.length} before the extranonce, ${extranonceLength} of extranonce, ${part2.length} after it (${outputs.length} outputs)`,
    );
  }
  checkBlockWeight(template, total);
  return { coinbase1: part1.finish(), coinbase2: part2.finish(), stampOffset, reward, outputs };
}

/** Marker, flag and the witness item, one weight unit each. */
const COINBASE_WITNESS_WEIGHT = 36;

// Nodes fill the block but for a reserve for the coinbase; one with many outputs can pass it, and the block with it.
function checkBlockWeight(template: BlockTemplate, coinbaseBytes: number): void {
  if (template.weightLimit === undefined) return;
  const { transactions } = template;
  let weight = 4 * (HEADER_BYTES + compactSizeLength(1 + transactions.length) + coinbaseBytes);
  if (template.witnessCommitment) weight += COINBASE_WITNESS_WEIGHT;
  for (const transaction of transactions) {
    if (transaction.weight === undefined) return;
    weight += transaction.weight;
  }
  if (weight <= template.weightLimit) return;
  throw new PoolError(
    'coinbase_too_large',
    `with a coinbase of ${coinbaseBytes} bytes the block would weigh ${weight}, ${template.weightLimit} are allowed: pay fewer outputs, or let the node reserve more (-blockreservedweight or -blockmaxweight)`,
  );
}

function scriptSigHead({ template, style }: CoinbaseOptions): Uint8Array {
  return concatBytes(encodeBip34Height(template.height), template.coinbaseAux, style?.extra ?? new Uint8Array(0));
}

function scriptSigTooLarge(options: CoinbaseOptions, length: number): PoolError {
  const parts: readonly (readonly [string, number])[] = [
    ['height', encodeBip34Height(options.template.height).length],
    ['coinbaseaux', options.template.coinbaseAux.length],
    ['extra', options.style?.extra?.length ?? 0],
    ['stamp', STAMP_BYTES],
    ['extranonce', options.extranonceLength],
    ['pool tag', options.poolTag.length],
  ];
  const sum = parts.map(([name, bytes]) => `${name} ${bytes}`).join(' + ');
  return new PoolError(
    'coinbase_too_large',
    `the coinbase scriptSig would have ${length} bytes, ${MAX_SCRIPT_SIG} are allowed: ${sum}`,
  );
}

/** The 4 bytes that a job id leaves in the coinbase: big-endian. */
export function stampBytes(id: number): Uint8Array {
  return Uint8Array.of(id >>> 24, id >>> 16, id >>> 8, id);
}

/**
 * The coinbase as it stands in a segwit block: marker, flag and the one witness item (32 zero bytes) put into a
 * serialisation without witness.
 * @throws PoolError `invalid_block` when it is too short to be a transaction.
 */
export function coinbaseWithWitness(nonWitness: Uint8Array): Uint8Array {
  if (nonWitness.length < 10) throw new PoolError('invalid_block', 'too short for a coinbase transaction');
  return concatBytes(
    nonWitness.subarray(0, 4),
    Uint8Array.of(0x00, 0x01),
    nonWitness.subarray(4, -4),
    Uint8Array.of(0x01, 0x20),
    new Uint8Array(32),
    nonWitness.subarray(-4),
  );
}
