import { randomBytes } from 'node:crypto';
import { RPC_ERROR, RpcFault } from './rpc.js';

const UNITS_PER_COIN = 100_000_000n;
// Unguessable, so that no text that was sent in (an id, a label) is taken for one of our numbers.
const MARK = randomBytes(12).toString('hex');
const MARKED = new RegExp(`"${MARK}(-?[0-9]+\\.[0-9]{8})"`, 'g');

/** Base units that JSON shows as nodes do: a number with eight decimals, whatever a double could hold. */
export class Amount {
  readonly units: bigint;
  constructor(units: bigint) {
    this.units = units;
  }
  toString(): string {
    const size = this.units < 0n ? -this.units : this.units;
    const decimals = String(size % UNITS_PER_COIN).padStart(8, '0');
    return `${this.units < 0n ? '-' : ''}${size / UNITS_PER_COIN}.${decimals}`;
  }
  toJSON(): string {
    return MARK + this.toString();
  }
}

/** JSON.stringify that writes every {@link Amount} as a number. */
export function stringify(value: unknown): string {
  return JSON.stringify(value).replaceAll(MARKED, '$1');
}

/** Base units of a JSON number or decimal string of coins. @throws RpcFault -3 with Core's words. */
export function parseAmount(value: unknown): bigint {
  if (typeof value !== 'number' && typeof value !== 'string') {
    throw new RpcFault(RPC_ERROR.type, 'Amount is not a number or string');
  }
  // A double tells base units apart up to 2^53 of them; toFixed undoes "1e-8".
  const text = typeof value === 'number' ? value.toFixed(8) : value;
  const match = /^([0-9]{1,10})(?:\.([0-9]{1,8}))?$/.exec(text);
  if (match === null) {
    throw new RpcFault(RPC_ERROR.type, /^-[0-9]/.test(text) ? 'Amount out of range' : 'Invalid amount');
  }
  return BigInt(match[1] ?? '0') * UNITS_PER_COIN + BigInt((match[2] ?? '').padEnd(8, '0'));
}
