import { buildCoinbase, type CoinbaseOptions, DEFAULT_MAX_COINBASE_BYTES } from '@headframe/mining';
import { compactSizeLength, PoolError } from '@headframe/primitives';

/** Firmware that takes coinbases up to a size. */
export interface CoinbaseSizeClass {
  /** Names the output set of the job variant: `<extranonceLength>/<name>`. */
  readonly name: string;
  /** Most bytes of the whole coinbase without witness. */
  readonly maxBytes: number;
  /** How the user agents of `mining.subscribe` begin, in any case. Empty: everybody else. */
  readonly agents: readonly string[];
}

/** What an unknown miner gets: stock S19 firmware is the narrowest in wide use. */
const DEFAULT_CLASS: CoinbaseSizeClass = { name: 'main', maxBytes: 755, agents: [] };

/** Sizes seen to work in the field (not a specification), narrowest first. */
export const COINBASE_SIZE_CLASSES: readonly CoinbaseSizeClass[] = [
  { name: 'tiny', maxBytes: 500, agents: ['NiceHash/'] },
  DEFAULT_CLASS,
  { name: 'medium', maxBytes: 2250, agents: ['Antminer S21/', 'bosminer', 'Braiins'] },
  { name: 'large', maxBytes: 6500, agents: ['whatsminer/v1', 'bitaxe'] },
  { name: 'huge', maxBytes: 16_384, agents: ['PowerPlay-BM', 'xminer-1.'] },
];

/**
 * The class of a miner by its user agent. The longest prefix that fits decides, then the order of the list; without
 * one, the class that has no agents.
 * @throws PoolError `invalid_argument` when no class is for everybody else and the agent is unknown.
 *
 * @example
 * coinbaseSizeClass('bitaxe/BM1370/v2.9.0').maxBytes; // 6500
 */
export function coinbaseSizeClass(
  userAgent: string,
  classes: readonly CoinbaseSizeClass[] = COINBASE_SIZE_CLASSES,
): CoinbaseSizeClass {
  const agent = userAgent.toLowerCase();
  let best: CoinbaseSizeClass | undefined;
  let bestLength = 0;
  for (const sizeClass of classes) {
    for (const prefix of sizeClass.agents) {
      if (prefix.length <= bestLength || !agent.startsWith(prefix.toLowerCase())) continue;
      best = sizeClass;
      bestLength = prefix.length;
    }
  }
  best ??= classes.find(({ agents }) => agents.length === 0);
  if (best === undefined) throw new PoolError('invalid_argument', 'no coinbase size class is for everybody else');
  return best;
}

/** Room that a coinbase has for payout outputs. */
export interface CoinbaseRoom {
  /** Bytes of the coinbase without witness and without payout outputs, with an output count of one byte. */
  readonly fixedBytes: number;
  /** Outputs that stand there anyway: what the template prescribes, and the witness commitment. */
  readonly fixedOutputs: number;
  /** Most bytes of the whole coinbase; a size class may allow less. */
  readonly maxBytes: number;
}

/** Block header, in bytes. */
const BLOCK_HEADER_BYTES = 80;
/** Marker, flag and the coinbase's witness item. */
const COINBASE_WITNESS_WEIGHT = 36;

/**
 * What the template leaves for payout outputs: bytes of everything else, and what the block's weight limit allows.
 *
 * @param options as for {@link buildCoinbase}, without outputs
 * @throws PoolError as {@link buildCoinbase} when not even one output fits.
 */
export function coinbaseRoom(options: Omit<CoinbaseOptions, 'outputs'>): CoinbaseRoom {
  const empty = buildCoinbase({ ...options, outputs: [{ script: new Uint8Array(0) }] });
  const total = empty.coinbase1.length + options.extranonceLength + empty.coinbase2.length;
  const fixedOutputs = empty.outputs.length - 1;
  const fixedBytes = total - outputBytes(0) - (compactSizeLength(empty.outputs.length) - 1);
  const styleLimit = options.style?.maxBytes ?? DEFAULT_MAX_COINBASE_BYTES;
  return { fixedBytes, fixedOutputs, maxBytes: Math.min(styleLimit, weightLimitBytes(options.template)) };
}

function weightLimitBytes(template: CoinbaseOptions['template']): number {
  const { transactions, weightLimit } = template;
  if (weightLimit === undefined) return Number.MAX_SAFE_INTEGER;
  let left = weightLimit - 4 * (BLOCK_HEADER_BYTES + compactSizeLength(1 + transactions.length));
  if (template.witnessCommitment) left -= COINBASE_WITNESS_WEIGHT;
  for (const { data, weight } of transactions) left -= weight ?? 4 * data.length;
  return Math.floor(left / 4);
}

/** Bytes of an output: amount, script length, script. */
export function outputBytes(scriptLength: number): number {
  return 8 + compactSizeLength(scriptLength) + scriptLength;
}

/** Counts outputs into a coinbase until it is full. */
export class OutputBudget {
  readonly #maxBytes: number;
  #bytes: number;
  #outputs: number;

  /** @param maxBytes of the size class; the room's own limit holds as well. */
  constructor(room: CoinbaseRoom, maxBytes: number) {
    this.#maxBytes = Math.min(room.maxBytes, maxBytes);
    this.#bytes = room.fixedBytes;
    this.#outputs = room.fixedOutputs;
  }

  /** Takes room for an output with such a script, if there is any. */
  take(scriptLength: number): boolean {
    const bytes = this.#bytes + outputBytes(scriptLength);
    const outputs = this.#outputs + 1;
    if (bytes + compactSizeLength(outputs) - 1 > this.#maxBytes) return false;
    this.#bytes = bytes;
    this.#outputs = outputs;
    return true;
  }

  /** Bytes of the coinbase so far. */
  get bytes(): number {
    return this.#bytes + compactSizeLength(this.#outputs) - 1;
  }
}
