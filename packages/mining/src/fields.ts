import { errorMessage, hexToBytes, PoolError } from '@headframe/primitives';

/** Hex digits from which the native decoder is worth its call: a full block is 3 MB of hex while miners wait. */
const LONG_HEX = 256;

/** What stands at a path of a template is not what it should be. */
export function invalidField(path: string, expected: string, found: unknown): PoolError {
  return new PoolError('invalid_template', `${path} must be ${expected}, not ${describeValue(found)}`, {
    details: { path },
  });
}

function describeValue(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return String(value);
  if (typeof value === 'bigint') return `${value}`;
  if (typeof value === 'string') {
    return value.length <= 40
      ? JSON.stringify(value)
      : `${JSON.stringify(value.slice(0, 40))} (${value.length} characters)`;
  }
  return Array.isArray(value) ? `an array of ${value.length}` : `a value of type ${typeof value}`;
}

/** Own property of a parsed JSON object; `__proto__` and friends stay out. */
export function own(object: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

export function asObject(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidField(path, 'an object', value);
  return value as Readonly<Record<string, unknown>>;
}

export function asArray(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalidField(path, 'an array', value);
  return value;
}

export function asString(value: unknown, path: string): string {
  if (typeof value !== 'string') throw invalidField(path, 'a string', value);
  return value;
}

export function asInteger(value: unknown, path: string, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw invalidField(path, `an integer from ${min} to ${max}`, value);
  }
  return value;
}

/** Base units: a non-negative integer that lost nothing on its way through JSON. */
export function asAmount(value: unknown, path: string): bigint {
  if (typeof value === 'bigint' && value >= 0n && value < 2n ** 63n) return value;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  if (typeof value === 'string' && /^[0-9]{1,18}$/.test(value)) return BigInt(value);
  throw invalidField(path, 'an amount in base units, below 2^53 unless written as a string', value);
}

export function asHex(value: unknown, path: string, byteLength?: number): Uint8Array {
  const expected = byteLength === undefined ? 'hex' : `${2 * byteLength} hex digits`;
  if (typeof value !== 'string') throw invalidField(path, expected, value);
  if (byteLength !== undefined && value.length !== 2 * byteLength) throw invalidField(path, expected, value);
  try {
    if (value.length >= LONG_HEX) {
      // Native, and half the time of a loop. It stops at the first wrong digit, so the length tells; but it takes some
      // letters beyond ASCII for digits, so the text must be ASCII. Whatever fails goes the slow way, which says where.
      const buffer = Buffer.from(value, 'hex');
      if (2 * buffer.length === value.length && Buffer.byteLength(value) === value.length) {
        return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
      }
    }
    return hexToBytes(value);
  } catch (error) {
    throw new PoolError('invalid_template', `${path} must be ${expected}: ${errorMessage(error)}`, {
      details: { path },
      cause: error,
    });
  }
}
