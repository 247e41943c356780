import type { ExplorerLinks } from '../options.js';

/** Makes links to a block explorer; null where none is configured. */
export interface Links {
  block(hash: string): string | null;
  transaction(txid: string | undefined): string | null;
  address(address: string | undefined): string | null;
}

/** Links by the patterns of a configuration. What is filled in is escaped. */
export function explorerLinks(patterns: ExplorerLinks = {}): Links {
  const fill = (pattern: string | undefined, name: string, value: string | undefined): string | null =>
    pattern === undefined || value === undefined || value === ''
      ? null
      : pattern.replaceAll(`{${name}}`, encodeURIComponent(value));
  return {
    block: (hash) => fill(patterns.block, 'hash', hash),
    transaction: (txid) => fill(patterns.transaction, 'txid', txid),
    address: (address) => fill(patterns.address, 'address', address),
  };
}
