import { isIPv4, isIPv6 } from 'node:net';
import { normalizeAddress } from './address.js';

/** One end of the connection that a proxy tells of. */
export interface ProxyEndpoint {
  /** Normalised as by `normalizeAddress`. */
  readonly address: string;
  readonly port: number;
}

/**
 * What the first bytes of a connection say about a PROXY protocol header.
 * `absent`: they are none. `more`: they may become one. `invalid`: they began as one and are wrong.
 * `done`: one of `headerLength` bytes; `source` and `destination` are undefined when the proxy does not know them or
 * speaks for itself (v1 UNKNOWN, v2 LOCAL and other families): the addresses of the socket hold then.
 */
export type ProxyHeaderResult =
  | { readonly status: 'absent' | 'more' }
  | { readonly status: 'invalid'; readonly reason: string }
  | {
      readonly status: 'done';
      readonly version: 1 | 2;
      readonly headerLength: number;
      readonly source: ProxyEndpoint | undefined;
      readonly destination: ProxyEndpoint | undefined;
    };

const ABSENT: ProxyHeaderResult = { status: 'absent' };
const MORE: ProxyHeaderResult = { status: 'more' };

const V1_SIGNATURE: readonly number[] = Array.from('PROXY ', (c) => c.charCodeAt(0));
const V2_SIGNATURE: readonly number[] = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];

/** The longest v1 header, CRLF included, by the protocol's text. */
const V1_MAX_BYTES = 107;
const V2_FIXED_BYTES = 16;
/** Addresses and TLVs of real proxies take under 600 bytes; the field would allow 65,535. */
const V2_MAX_BODY_BYTES = 4096;

function invalid(reason: string): ProxyHeaderResult {
  return { status: 'invalid', reason };
}

/** How much of `signature` the bytes begin with: all of it, as much as there is, or something else. */
function compare(bytes: Uint8Array, length: number, signature: readonly number[]): 'yes' | 'more' | 'no' {
  const upTo = Math.min(length, signature.length);
  for (let i = 0; i < upTo; i++) if (bytes[i] !== signature[i]) return 'no';
  return upTo === signature.length ? 'yes' : 'more';
}

/** Reads a PROXY protocol header, version 1 or 2, at the start of `bytes[0..length)`. Never throws. */
export function parseProxyHeader(bytes: Uint8Array, length: number = bytes.length): ProxyHeaderResult {
  const v1 = compare(bytes, length, V1_SIGNATURE);
  if (v1 === 'yes') return parseV1(bytes, length);
  const v2 = compare(bytes, length, V2_SIGNATURE);
  if (v2 === 'yes') return parseV2(bytes, length);
  return v1 === 'more' || v2 === 'more' ? MORE : ABSENT;
}

function parseV1(bytes: Uint8Array, length: number): ProxyHeaderResult {
  const upTo = Math.min(length, V1_MAX_BYTES);
  let end = V1_SIGNATURE.length;
  while (end < upTo && bytes[end] !== 0x0d && bytes[end] !== 0x0a) end++;
  if (end >= V1_MAX_BYTES - 1) return invalid('v1 header without an end');
  if (end === upTo) return MORE;
  if (bytes[end] === 0x0a) return invalid('v1 header does not end in CRLF');
  if (end + 1 === length) return MORE;
  if (bytes[end + 1] !== 0x0a) return invalid('v1 header does not end in CRLF');
  let text = '';
  for (let i = V1_SIGNATURE.length; i < end; i++) text += String.fromCharCode(bytes[i] ?? 0);
  const headerLength = end + 2;
  // What follows UNKNOWN is to be ignored.
  if (text === 'UNKNOWN' || text.startsWith('UNKNOWN ')) {
    return { status: 'done', version: 1, headerLength, source: undefined, destination: undefined };
  }
  const [family, from = '', to = '', fromPort = '', toPort = '', ...extra] = text.split(' ');
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : undefined;
  if (isAddress === undefined) return invalid('v1 header of an unknown family');
  if (extra.length > 0 || !isAddress(from) || !isAddress(to) || from.includes('%') || to.includes('%')) {
    return invalid('v1 header with bad addresses');
  }
  if (!isPort(fromPort) || !isPort(toPort)) return invalid('v1 header with bad ports');
  return {
    status: 'done',
    version: 1,
    headerLength,
    source: { address: normalizeAddress(from), port: Number(fromPort) },
    destination: { address: normalizeAddress(to), port: Number(toPort) },
  };
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

function parseV2(bytes: Uint8Array, length: number): ProxyHeaderResult {
  const versionAndCommand = bytes[12];
  const family = bytes[13];
  if (length > 12 && versionAndCommand !== 0x20 && versionAndCommand !== 0x21) {
    return invalid('v2 header of another version or command');
  }
  if (length < V2_FIXED_BYTES || versionAndCommand === undefined || family === undefined) return MORE;
  const bodyLength = u16be(bytes, 14);
  if (bodyLength > V2_MAX_BODY_BYTES) return invalid('v2 header too long');
  const isLocal = versionAndCommand === 0x20;
  const addressBytes = isLocal ? 0 : family === 0x11 ? 12 : family === 0x21 ? 36 : 0;
  if (bodyLength < addressBytes) return invalid('v2 header too short for its addresses');
  const headerLength = V2_FIXED_BYTES + bodyLength;
  if (length < headerLength) return MORE;
  if (addressBytes === 0)
    return { status: 'done', version: 2, headerLength, source: undefined, destination: undefined };
  const size = addressBytes === 12 ? 4 : 16;
  const portsAt = V2_FIXED_BYTES + 2 * size;
  return {
    status: 'done',
    version: 2,
    headerLength,
    source: { address: addressText(bytes, V2_FIXED_BYTES, size), port: u16be(bytes, portsAt) },
    destination: { address: addressText(bytes, V2_FIXED_BYTES + size, size), port: u16be(bytes, portsAt + 2) },
  };
}

function u16be(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function addressText(bytes: Uint8Array, at: number, size: number): string {
  const groups: string[] = [];
  if (size === 4) {
    for (let i = 0; i < 4; i++) groups.push(String(bytes[at + i] ?? 0));
    return groups.join('.');
  }
  for (let i = 0; i < 16; i += 2) groups.push(u16be(bytes, at + i).toString(16));
  return normalizeAddress(groups.join(':'));
}
