import {
  asciiToBytes,
  bytesToHex,
  concatBytes,
  hexToBytes,
  hexToU32,
  PoolError,
  u32ToHex,
} from '@headframe/primitives';

/** Merkle branch steps above which a notify is not believed: 2^32 transactions fit in no block. */
const MAX_BRANCH_STEPS = 32;

/** Contents of `mining.notify`. Byte arrays are in internal order; integers are the integers. */
export interface NotifyFields {
  /** Hex text of the job id, as submitted. */
  readonly jobId: string;
  /** 32 bytes, internal order (not word-swapped). */
  readonly previousHash: Uint8Array;
  readonly coinbase1: Uint8Array;
  readonly coinbase2: Uint8Array;
  /** 32 bytes per step, one after the other. */
  readonly merkleBranch: Uint8Array;
  readonly version: number;
  readonly nbits: number;
  /** Unix seconds. */
  readonly ntime: number;
  /** Drop all earlier jobs. */
  readonly clean: boolean;
}

/** A copy with each 4-byte group reversed: how notify writes the previous hash. Its own inverse. */
export function swapWords(bytes: Uint8Array): Uint8Array {
  if (bytes.length % 4 !== 0) throw new PoolError('invalid_argument', 'length is not a multiple of 4');
  const out = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) out[i] = bytes[(i & ~3) + 3 - (i & 3)] ?? 0;
  return out;
}

function notifyHead(fields: Omit<NotifyFields, 'clean'>): string {
  if (!/^[0-9a-fA-F]{1,16}$/.test(fields.jobId)) throw new PoolError('invalid_argument', 'job id is not hex');
  const branch: string[] = [];
  for (let at = 0; at < fields.merkleBranch.length; at += 32) {
    branch.push(`"${bytesToHex(fields.merkleBranch.subarray(at, at + 32))}"`);
  }
  return (
    `{"id":null,"method":"mining.notify","params":["${fields.jobId}","${bytesToHex(swapWords(fields.previousHash))}",` +
    `"${bytesToHex(fields.coinbase1)}","${bytesToHex(fields.coinbase2)}",[${branch.join(',')}],` +
    `"${u32ToHex(fields.version)}","${u32ToHex(fields.nbits)}","${u32ToHex(fields.ntime)}",`
  );
}

/** `mining.notify` as one line of ASCII, newline included. */
export function encodeNotify(fields: NotifyFields): Uint8Array {
  return asciiToBytes(`${notifyHead(fields)}${fields.clean ? 'true' : 'false'}]}\n`);
}

/** The same notify in both forms, for broadcasting: a waiting line may later turn out to need `clean`. */
export interface NotifyLines {
  /** With `clean_jobs` true. */
  readonly clean: Uint8Array;
  /** With `clean_jobs` false. */
  readonly keep: Uint8Array;
}

/** Serialises a job once for all who get it. The lines are shared: never write into them. */
export function encodeNotifyLines(fields: Omit<NotifyFields, 'clean'>): NotifyLines {
  const head = asciiToBytes(notifyHead(fields));
  return { clean: concatBytes(head, asciiToBytes('true]}\n')), keep: concatBytes(head, asciiToBytes('false]}\n')) };
}

/** Largest coinbase half a notify may bring, in bytes; real ones stay under 16 KiB. */
const MAX_COINBASE_PART = 100_000;

function hexParam(params: readonly unknown[], index: number, name: string, bytes?: number): Uint8Array {
  const text = params[index];
  if (typeof text !== 'string' || text.length > 2 * MAX_COINBASE_PART) {
    throw new PoolError('invalid_data', `notify: ${name} is no hex string`);
  }
  const value = hexToBytes(text);
  if (bytes !== undefined && value.length !== bytes) {
    throw new PoolError('invalid_data', `notify: ${name} has ${value.length} bytes, not ${bytes}`);
  }
  return value;
}

function u32Param(params: readonly unknown[], index: number, name: string): number {
  const text = params[index];
  const value = typeof text === 'string' ? hexToU32(text) : -1;
  if (value < 0) throw new PoolError('invalid_data', `notify: ${name} is not 1 to 8 hex digits`);
  return value;
}

/**
 * Reads the params of `mining.notify`.
 * @throws PoolError `invalid_data` or `invalid_hex` saying which param is wrong
 */
export function decodeNotify(params: unknown): NotifyFields {
  if (!Array.isArray(params) || params.length < 9) throw new PoolError('invalid_data', 'notify: fewer than 9 params');
  const list: readonly unknown[] = params;
  const [jobId, , , , steps] = list;
  if (typeof jobId !== 'string' || jobId.length === 0 || jobId.length > 128) {
    throw new PoolError('invalid_data', 'notify: job id is no string of 1 to 128 characters');
  }
  if (!Array.isArray(steps) || steps.length > MAX_BRANCH_STEPS) {
    throw new PoolError('invalid_data', 'notify: merkle branch is no array of at most 32');
  }
  const clean = list[8];
  if (typeof clean !== 'boolean') throw new PoolError('invalid_data', 'notify: clean_jobs is no boolean');
  return {
    jobId,
    previousHash: swapWords(hexParam(list, 1, 'previous hash', 32)),
    coinbase1: hexParam(list, 2, 'coinbase 1'),
    coinbase2: hexParam(list, 3, 'coinbase 2'),
    merkleBranch: concatBytes(...steps.map((_, index) => hexParam(steps, index, 'merkle step', 32))),
    version: u32Param(list, 5, 'version'),
    nbits: u32Param(list, 6, 'nbits'),
    ntime: u32Param(list, 7, 'ntime'),
    clean,
  };
}
