import { PoolError } from '@headframe/primitives';
import type { z } from 'zod';
import { type HeaderObject, headerObject } from './fields.js';
import { headerHexOf, parseBlockHeader } from './header.js';
import type { ElectrumMethodName } from './methods.js';
import { methodForms } from './methods.js';

/** Methods that bring notifications of the same name. */
export type SubscriptionMethod =
  | typeof HeadersNotification.method
  | typeof AddressNotification.method
  | typeof NumBlocksNotification.method
  | typeof ScripthashNotification.method;

/** A notification as the wire has it. */
export interface NotificationCall {
  readonly method: SubscriptionMethod;
  readonly params: readonly unknown[];
}

/** The newest block, in either shape: `hex` where the server speaks 1.4 or later, `object` below. */
export class HeadersNotification {
  static readonly method = 'blockchain.headers.subscribe';
  readonly height: number;
  /** Header as hex; undefined when it came as an object. */
  readonly hex: string | undefined;
  /** The old shape; undefined when it came as hex. */
  readonly object: HeaderObject | undefined;

  private constructor(height: number, hex: string | undefined, object: HeaderObject | undefined) {
    this.height = height;
    this.hex = hex;
    this.object = object;
  }

  static ofHex(height: number, hex: string): HeadersNotification {
    return new HeadersNotification(height, hex, undefined);
  }
  static ofObject(object: HeaderObject): HeadersNotification {
    return new HeadersNotification(object.block_height, undefined, object);
  }

  get version(): number {
    return this.#fields.version;
  }
  /** Display order; all zero before the first block. */
  get prevHash(): string {
    return this.#fields.prevHash;
  }
  /** Display order. */
  get merkleRoot(): string {
    return this.#fields.merkleRoot;
  }
  /** Unix seconds. */
  get timestamp(): number {
    return this.#fields.timestamp;
  }
  get bits(): number {
    return this.#fields.bits;
  }
  get nonce(): number {
    return this.#fields.nonce;
  }
  /** Name of the block, display order. */
  get hash(): string {
    return parseBlockHeader(this.hex ?? (this.object === undefined ? '' : headerHexOf(this.object))).hash;
  }
  /** Only from servers before 1.0. */
  get utxoRoot(): string | undefined {
    return this.object?.utxo_root;
  }

  get #fields(): Fields {
    const { object } = this;
    if (object === undefined) return parseBlockHeader(this.hex ?? '');
    const { version, merkle_root: merkleRoot, timestamp, bits, nonce } = object;
    return { version, prevHash: object.prev_block_hash ?? '0'.repeat(64), merkleRoot, timestamp, bits, nonce };
  }

  toCall(): NotificationCall {
    const { height, hex, object } = this;
    return { method: HeadersNotification.method, params: [object ?? { height, hex }] };
  }
}

type Fields = Pick<HeadersNotification, 'version' | 'prevHash' | 'merkleRoot' | 'timestamp' | 'bits' | 'nonce'>;

/** The status of an address changed (old protocol). */
export class AddressNotification {
  static readonly method = 'blockchain.address.subscribe';
  readonly address: string;
  /** See `historyStatus`; null when no transaction is left. */
  readonly status: string | null;

  constructor(address: string, status: string | null) {
    this.address = address;
    this.status = status;
  }

  toCall(): NotificationCall {
    return { method: AddressNotification.method, params: [this.address, this.status] };
  }
}

/** The chain has another height (old protocol). */
export class NumBlocksNotification {
  static readonly method = 'blockchain.numblocks.subscribe';
  readonly height: number;

  constructor(height: number) {
    this.height = height;
  }

  toCall(): NotificationCall {
    return { method: NumBlocksNotification.method, params: [this.height] };
  }
}

/** The status of a script changed. */
export class ScripthashNotification {
  static readonly method = 'blockchain.scripthash.subscribe';
  readonly scripthash: string;
  /** See `historyStatus`; null when no transaction is left. */
  readonly status: string | null;

  constructor(scripthash: string, status: string | null) {
    this.scripthash = scripthash;
    this.status = status;
  }

  toCall(): NotificationCall {
    return { method: ScripthashNotification.method, params: [this.scripthash, this.status] };
  }
}

/** What a server says without being asked. Each has `toCall()`, which gives back what {@link decodeNotification} took. */
export type ElectrumNotification =
  | HeadersNotification
  | AddressNotification
  | NumBlocksNotification
  | ScripthashNotification;

function checked(method: ElectrumMethodName, params: unknown): readonly unknown[] {
  const schemas = methodForms(method).flatMap(({ notification }) => notification ?? []);
  let problem: z.ZodError | undefined;
  for (const schema of schemas.reverse()) {
    const parsed = schema.safeParse(params);
    if (parsed.success) return parsed.data as readonly unknown[];
    problem ??= parsed.error;
  }
  throw new PoolError('invalid_data', `${method}: ${problem?.issues[0]?.message ?? 'not a notification'}`, {
    details: { method },
  });
}

/**
 * The notification a message is, or undefined when it is none of this protocol.
 * @throws PoolError `invalid_data` when its parameters make no sense
 *
 * @example
 * const notification = decodeNotification('blockchain.numblocks.subscribe', [840000]);
 */
export function decodeNotification(method: string, params: unknown): ElectrumNotification | undefined {
  switch (method) {
    case HeadersNotification.method: {
      const [tip] = checked(method, params) as [HeaderObject | { readonly height: number; readonly hex: string }];
      return 'hex' in tip
        ? HeadersNotification.ofHex(tip.height, tip.hex)
        : HeadersNotification.ofObject(headerObject.parse(tip));
    }
    case AddressNotification.method: {
      const [address, status] = checked(method, params) as [string, string | null];
      return new AddressNotification(address, status);
    }
    case NumBlocksNotification.method: {
      const [height] = checked(method, params) as [number];
      return new NumBlocksNotification(height);
    }
    case ScripthashNotification.method: {
      const [scripthash, status] = checked(method, params) as [string, string | null];
      return new ScripthashNotification(scripthash, status);
    }
    default:
      return undefined;
  }
}
