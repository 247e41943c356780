import { PoolError } from '@headframe/primitives';

/** Versions of the protocol that have methods of their own, oldest first. 1.5 was never given out. */
export const PROTOCOL_VERSIONS = ['0.8', '1.0', '1.1', '1.2', '1.3', '1.4', '1.4.2', '1.6'] as const;
export type ProtocolVersion = (typeof PROTOCOL_VERSIONS)[number];

/** Lowest and highest version that a side speaks, both included. */
export interface ProtocolRange {
  readonly min: string;
  readonly max: string;
}

/** The versions of today: from what Debian's Electrum asks for to the newest. */
export const MODERN_PROTOCOL: ProtocolRange = Object.freeze({ min: '1.4', max: '1.6' });

/** More parts, or larger ones, than any version will ever have. */
const MAX_VERSION_LENGTH = 20;

/** The numbers of a version, or undefined when the text is none: `1.4.2` is `[1, 4, 2]`. */
export function parseVersion(text: string): readonly number[] | undefined {
  if (text.length > MAX_VERSION_LENGTH || !/^\d{1,4}(\.\d{1,4}){0,3}$/.test(text)) return undefined;
  return text.split('.').map(Number);
}

function partsOf(version: string): readonly number[] {
  const parts = parseVersion(version);
  if (parts === undefined)
    throw new PoolError('invalid_argument', `not a protocol version: ${JSON.stringify(version)}`);
  return parts;
}

/**
 * Below 0 when `a` is older than `b`, 0 when they are equal, above 0 when it is newer. Parts are compared as integers,
 * and a version with more parts is newer than its beginning: 1.4 < 1.4.2 < 1.10.
 * @throws PoolError `invalid_argument` for what is no version
 */
export function compareVersions(a: string, b: string): number {
  const left = partsOf(a);
  const right = partsOf(b);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? -1) - (right[i] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** What came out of {@link negotiateVersion}. */
export type Negotiation =
  | { readonly ok: true; readonly version: string }
  /** `message` is for the error answer (code 1); the connection is to be closed. */
  | { readonly ok: false; readonly message: string };

function requestedRange(requested: unknown, fallback: string): ProtocolRange | undefined {
  if (requested === undefined || requested === null) return { min: fallback, max: fallback };
  const [min, max]: readonly unknown[] = Array.isArray(requested) ? requested : [requested, requested];
  if (Array.isArray(requested) && requested.length !== 2) return undefined;
  if (typeof min !== 'string' || typeof max !== 'string') return undefined;
  if (parseVersion(min) === undefined || parseVersion(max) === undefined) return undefined;
  return { min, max };
}

/**
 * The server's half of the negotiation: the newest version both speak.
 * @param requested second parameter of `server.version`: a version, `[min, max]`, or missing (our oldest then)
 */
export function negotiateVersion(requested: unknown, server: ProtocolRange): Negotiation {
  const client = requestedRange(requested, server.min);
  if (client === undefined) return { ok: false, message: 'invalid protocol version' };
  const version = compareVersions(client.max, server.max) < 0 ? client.max : server.max;
  const lowest = compareVersions(client.min, server.min) > 0 ? client.min : server.min;
  if (compareVersions(version, lowest) >= 0) return { ok: true, version };
  return { ok: false, message: `unsupported protocol version: ${Array.isArray(requested) ? client.max : client.min}` };
}
