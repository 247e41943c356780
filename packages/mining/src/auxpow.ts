import { type PowAlgorithm, sha256d } from '@headframe/hashing';
import {
  ByteReader,
  ByteWriter,
  concatBytes,
  equalBytes,
  isAtMostLe,
  PoolError,
  reverseBytes,
} from '@headframe/primitives';
import { HEADER_BYTES, parseHeader } from './header.js';

/** Marks the merged-mining tag in a parent's coinbase: fabe "mm". */
const AUX_MAGIC = Uint8Array.of(0xfa, 0xbe, 0x6d, 0x6d);
const MAX_TREE_HEIGHT = 30;
/** No real tree of transactions is deeper; it bounds what a proof may make us hash. */
const MAX_BRANCH = 32;
/** Without the magic, the root must begin within this many bytes of the scriptSig. */
const BARE_ROOT_LIMIT = 20;

/** Proof that a parent block's work covers a child block. Hashes in internal order. */
export interface AuxPow {
  /** Parent coinbase without witness. */
  readonly parentCoinbase: Uint8Array;
  /** Carried along; nodes do not check it. */
  readonly parentHash: Uint8Array;
  readonly coinbaseBranch: readonly Uint8Array[];
  readonly coinbaseIndex: number;
  readonly chainBranch: readonly Uint8Array[];
  readonly chainIndex: number;
  /** 80 bytes. */
  readonly parentHeader: Uint8Array;
}

/** The tag that commits a parent coinbase to a tree of child blocks. */
export interface AuxTag {
  /** Root of the tree, internal order. */
  readonly root: Uint8Array;
  /** Slots in the tree, a power of two. */
  readonly size: number;
  readonly nonce: number;
}

/** The 44 bytes of the merged-mining tag. The root stands there in display order. */
export function buildAuxTag({ root, size, nonce }: AuxTag): Uint8Array {
  return new ByteWriter(44).write(AUX_MAGIC).write(reverseBytes(root)).u32le(size).u32le(nonce).finish();
}

/** Slot of a chain in a tree of 2^height slots: fixed by chain id and nonce, so that it cannot be in two. */
export function auxSlot(nonce: number, chainId: number, height: number): number {
  if (!Number.isInteger(height) || height < 0 || height > MAX_TREE_HEIGHT) {
    throw new PoolError('invalid_argument', `a merged-mining tree has a height of 0 to ${MAX_TREE_HEIGHT}`);
  }
  const step = (value: number): number => (Math.imul(value, 1103515245) + 12345) >>> 0;
  return step((step(nonce >>> 0) + chainId) >>> 0) & (2 ** height - 1);
}

/** Root of a branch: bit i of `index` set means that step i is the left one of its pair. */
export function foldIndexedBranch(leaf: Uint8Array, branch: readonly Uint8Array[], index: number): Uint8Array {
  let root = leaf;
  branch.forEach((sibling, i) => {
    root = sha256d((index >>> i) & 1 ? concatBytes(sibling, root) : concatBytes(root, sibling));
  });
  return root;
}

/** Bytes of a proof, as they follow the child's header. */
export function serializeAuxPow(proof: AuxPow): Uint8Array {
  const writer = new ByteWriter(512).write(proof.parentCoinbase).write(proof.parentHash);
  writer.compactSize(proof.coinbaseBranch.length);
  for (const hash of proof.coinbaseBranch) writer.write(hash);
  writer.u32le(proof.coinbaseIndex).compactSize(proof.chainBranch.length);
  for (const hash of proof.chainBranch) writer.write(hash);
  return writer.u32le(proof.chainIndex).write(proof.parentHeader).finish();
}

/** @throws PoolError `invalid_data` or `end_of_data` when the bytes are no proof. */
export function parseAuxPow(bytes: Uint8Array): AuxPow {
  const reader = new ByteReader(bytes);
  skipTransaction(reader);
  const parentCoinbase = bytes.slice(0, reader.offset);
  const proof: AuxPow = {
    parentCoinbase,
    parentHash: reader.copy(32),
    coinbaseBranch: readBranch(reader),
    coinbaseIndex: reader.u32le(),
    chainBranch: readBranch(reader),
    chainIndex: reader.u32le(),
    parentHeader: reader.copy(HEADER_BYTES),
  };
  if (reader.remaining > 0) throw new PoolError('invalid_data', `${reader.remaining} bytes follow the AuxPoW`);
  return proof;
}

function readBranch(reader: ByteReader): Uint8Array[] {
  const length = reader.compactSize();
  if (length > MAX_BRANCH) throw new PoolError('invalid_data', `a merkle branch of ${length} steps`);
  return Array.from({ length }, () => reader.copy(32));
}

/** Moves past a transaction without witness; answers the scriptSig of its first input. */
function skipTransaction(reader: ByteReader): Uint8Array {
  reader.u32le();
  let scriptSig: Uint8Array | undefined;
  const inputs = reader.compactSize();
  for (let i = 0; i < inputs; i++) {
    reader.view(36);
    const script = reader.view(reader.compactSize());
    scriptSig ??= script;
    reader.u32le();
  }
  const outputs = reader.compactSize();
  for (let i = 0; i < outputs; i++) {
    reader.u64le();
    reader.view(reader.compactSize());
  }
  reader.u32le();
  if (scriptSig === undefined) throw new PoolError('invalid_data', 'a transaction without inputs');
  return scriptSig;
}

export interface AuxPowCheck {
  readonly proof: AuxPow;
  /** SHA-256d of the child's header, internal order. */
  readonly childHash: Uint8Array;
  readonly chainId: number;
  /** 32 bytes, little-endian integer. */
  readonly childTarget: Uint8Array;
  /** Proof of work of the parent. */
  readonly pow: PowAlgorithm;
}

/** Whether a proof holds; the reason when not. Follows the rules that child nodes apply. */
export function verifyAuxPow(
  check: AuxPowCheck,
): { readonly ok: true } | { readonly ok: false; readonly reason: string } {
  const { proof, childHash, chainId } = check;
  const fail = (reason: string) => ({ ok: false, reason }) as const;
  if (proof.coinbaseIndex !== 0) return fail('the parent transaction is not the coinbase');
  const parent = parseHeader(proof.parentHeader);
  if (parent.version >>> 16 === chainId) return fail('the parent has the chain id of the child');
  if (proof.chainBranch.length > MAX_TREE_HEIGHT) return fail('the merged-mining tree is too high');
  const coinbaseRoot = foldIndexedBranch(sha256d(proof.parentCoinbase), proof.coinbaseBranch, 0);
  if (!equalBytes(coinbaseRoot, parent.merkleRoot)) return fail('the coinbase is not in the parent block');
  const root = foldIndexedBranch(childHash, proof.chainBranch, proof.chainIndex);
  const reason = checkTag(skipTransaction(new ByteReader(proof.parentCoinbase)), root, proof, chainId);
  if (reason !== undefined) return fail(reason);
  if (!isAtMostLe(check.pow.hash(proof.parentHeader), 0, check.childTarget)) {
    return fail("the parent's work does not meet the target of the child");
  }
  return { ok: true };
}

function checkTag(scriptSig: Uint8Array, root: Uint8Array, proof: AuxPow, chainId: number): string | undefined {
  const magicAt = indexOfBytes(scriptSig, AUX_MAGIC, 0);
  const rootAt = indexOfBytes(scriptSig, reverseBytes(root), 0);
  if (rootAt < 0) return 'the parent coinbase does not commit to the child';
  if (magicAt >= 0) {
    if (indexOfBytes(scriptSig, AUX_MAGIC, magicAt + 1) >= 0) return 'the parent coinbase has two merged-mining tags';
    if (rootAt !== magicAt + AUX_MAGIC.length) return 'the root does not follow the merged-mining magic';
  } else if (rootAt > BARE_ROOT_LIMIT) return 'the root lies too far in a coinbase without merged-mining magic';
  const reader = new ByteReader(scriptSig, rootAt + 32);
  if (reader.remaining < 8) return 'the merged-mining tag is cut off';
  const height = proof.chainBranch.length;
  if (reader.u32le() !== 2 ** height) return 'the tag names another tree size';
  if (proof.chainIndex !== auxSlot(reader.u32le(), chainId, height)) return 'the child is in the wrong slot';
  return undefined;
}

function indexOfBytes(haystack: Uint8Array, needle: Uint8Array, from: number): number {
  return Buffer.from(haystack.buffer, haystack.byteOffset, haystack.length).indexOf(needle, from);
}
