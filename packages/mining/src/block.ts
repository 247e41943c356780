import { ByteWriter, PoolError } from '@headframe/primitives';
import { coinbaseWithWitness } from './coinbase.js';
import { HEADER_BYTES } from './header.js';
import type { BlockTemplate } from './types.js';

export interface BlockParts {
  readonly template: BlockTemplate;
  /** 80 bytes. */
  readonly header: Uint8Array;
  /** Whole coinbase without witness. */
  readonly coinbase: Uint8Array;
}

/**
 * The block that goes to submitblock: header, coinbase (with its witness when the template carries a commitment),
 * transactions in template order, and Litecoin's extension block behind them.
 * @throws PoolError `invalid_block` when header or coinbase cannot be ones.
 */
export function assembleBlock({ template, header, coinbase }: BlockParts): Uint8Array {
  if (header.length !== HEADER_BYTES) {
    throw new PoolError('invalid_block', `a header has ${HEADER_BYTES} bytes, not ${header.length}`);
  }
  const full = template.witnessCommitment ? coinbaseWithWitness(coinbase) : coinbase;
  let length = HEADER_BYTES + 9 + full.length + (template.mweb?.length ?? 0) + 1;
  for (const { data } of template.transactions) length += data.length;
  const block = new ByteWriter(length)
    .write(header)
    .compactSize(1 + template.transactions.length)
    .write(full);
  for (const { data } of template.transactions) block.write(data);
  // An optional pointer: 01, then the extension block.
  if (template.mweb) block.u8(1).write(template.mweb);
  return block.finish();
}
