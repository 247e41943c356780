import { assembleBlock, type BlockTemplate, buildHeader, foldBranch, type JobRecord, sha256d } from '@headframe/mining';
import { bytesToHex, concatBytes } from '@headframe/primitives';

/** The block of a job with zeros for extranonce and nonce, in hex: what a node can judge without proof of work. */
export function proposalBlock(record: JobRecord, template: BlockTemplate): string | undefined {
  const [variant] = record.variants;
  if (variant === undefined) return undefined;
  const coinbase = concatBytes(variant.coinbase1, new Uint8Array(variant.extranonceLength), variant.coinbase2);
  const header = buildHeader({
    version: record.version,
    previousHash: record.previousHash,
    merkleRoot: foldBranch(sha256d(coinbase), record.merkleBranch),
    ntime: record.ntime,
    nbits: record.nbits,
    nonce: 0,
  });
  return bytesToHex(assembleBlock({ template, header, coinbase }));
}
