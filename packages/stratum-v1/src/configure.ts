import { hexToU32, type Reject, reject, u32ToHex } from '@headframe/primitives';
import { positiveNumber, printable } from './text.js';

/** BIP 320: the bits of a Bitcoin header's version that a miner may roll. */
export const BIP320_VERSION_MASK = 0x1fffe000;

/** Extension names in one request beyond which it is refused; five are known. */
export const MAX_EXTENSIONS = 32;

/** What this side offers to `mining.configure`. */
export interface ConfigurePolicy {
  /** Bits that may be rolled on this chain; 0 turns version rolling off. */
  readonly versionMask: number;
  /** Decides about `minimum-difficulty`: true, false, or a text that says why not. Absent: always false. */
  readonly minimumDifficulty?: (requested: number) => boolean | string;
  /** Whether `mining.set_extranonce` may be sent to those who ask for it. */
  readonly subscribeExtranonce: boolean;
}

/** What a miner said about itself in the `info` extension; printable ASCII, at most 128 characters each. */
export interface ConfigureInfo {
  readonly connectionUrl?: string;
  readonly hardwareVersion?: string;
  readonly softwareVersion?: string;
  readonly hardwareId?: string;
}

/** What was agreed; a member is there only when it was asked for and granted. */
export interface ConfigureGrants {
  readonly versionMask?: number;
  readonly minimumDifficulty?: number;
  readonly subscribeExtranonce?: true;
  readonly info?: ConfigureInfo;
}

export interface ConfigureOutcome {
  /** The response: one key per extension asked for, and return values only of those (some miners break on more). */
  readonly result: Readonly<Record<string, boolean | string | number>>;
  readonly granted: ConfigureGrants;
}

function own(record: object, key: string): unknown {
  return Object.hasOwn(record, key) ? (record as Record<string, unknown>)[key] : undefined;
}

function readInfo(options: object): ConfigureInfo {
  const read = (key: string): string | undefined => {
    const value = own(options, `info.${key}`);
    return typeof value === 'string' ? printable(value, 128) : undefined;
  };
  const connectionUrl = read('connection-url');
  const hardwareVersion = read('hw-version');
  const softwareVersion = read('sw-version');
  const hardwareId = read('hw-id');
  return {
    ...(connectionUrl !== undefined && { connectionUrl }),
    ...(hardwareVersion !== undefined && { hardwareVersion }),
    ...(softwareVersion !== undefined && { softwareVersion }),
    ...(hardwareId !== undefined && { hardwareId }),
  };
}

/**
 * Answers `mining.configure` (BIP 310). Pure: the caller applies `granted`. The mask granted is ours and the miner's
 * intersected; a missing mask means all bits; `min-bit-count` is a hint and never makes the answer a refusal (BIP 310
 * asks for the largest mask possible). Extensions we do not know are answered `false`, malformed values with a text.
 * Returns a {@link Reject} `invalid-params` when the first param is no list of names.
 */
export function negotiateConfigure(params: unknown, policy: ConfigurePolicy): ConfigureOutcome | Reject {
  const [extensions, given]: readonly unknown[] = Array.isArray(params) ? params : [];
  if (!Array.isArray(extensions)) return reject('invalid-params', 'First param must be a list of extensions');
  if (extensions.length > MAX_EXTENSIONS) return reject('invalid-params', 'Too many extensions');
  const options = typeof given === 'object' && given !== null ? given : {};
  // No prototype: a peer chooses the keys.
  const result: Record<string, boolean | string | number> = Object.create(null);
  const granted: { -readonly [Key in keyof ConfigureGrants]: ConfigureGrants[Key] } = {};
  for (const extension of extensions as readonly unknown[]) {
    if (typeof extension !== 'string' || extension.length > 64) {
      return reject('invalid-params', 'Extension names must be short strings');
    }
    if (extension === 'version-rolling') {
      const asked = own(options, 'version-rolling.mask') ?? 'ffffffff';
      const mask = typeof asked === 'string' ? hexToU32(asked) : -1;
      if (mask < 0) result[extension] = 'version-rolling.mask must be 1 to 8 hex digits';
      else {
        const common = (mask & policy.versionMask) >>> 0;
        result[extension] = common !== 0;
        if (common !== 0) {
          result['version-rolling.mask'] = u32ToHex(common);
          granted.versionMask = common;
        }
      }
    } else if (extension === 'minimum-difficulty') {
      const requested = positiveNumber(own(options, 'minimum-difficulty.value'));
      if (requested === undefined) result[extension] = 'minimum-difficulty.value must be a positive number';
      else {
        const answer = policy.minimumDifficulty?.(requested) ?? false;
        result[extension] = answer;
        if (answer === true) granted.minimumDifficulty = requested;
      }
    } else if (extension === 'subscribe-extranonce') {
      result[extension] = policy.subscribeExtranonce;
      if (policy.subscribeExtranonce) granted.subscribeExtranonce = true;
    } else if (extension === 'info') {
      result[extension] = true;
      granted.info = readInfo(options);
    } else result[extension] = false;
  }
  return { result, granted };
}
