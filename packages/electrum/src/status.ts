import { sha256 } from '@headframe/hashing';
import { asciiToBytes, bytesToHex, toDisplayHex } from '@headframe/primitives';

/** What the protocol calls a script: the SHA-256 of its bytes in display order, hex. */
export function scripthashOf(script: Uint8Array): string {
  return toDisplayHex(sha256(script));
}

/** What the status looks at in a history item. */
export interface StatusItem {
  readonly tx_hash: string;
  readonly height: number;
}

/**
 * The order of a history: confirmed transactions by height, then those in the mempool, by id, with children of
 * unconfirmed ones (-1) after the others (0). Confirmed ones of one block must be in the order of the block already:
 * the sort keeps it. A new list.
 */
export function sortHistory<Item extends StatusItem>(history: readonly Item[]): Item[] {
  return [...history].sort((a, b) => {
    const left = Math.max(a.height, 0);
    const right = Math.max(b.height, 0);
    if (left > 0 && right > 0) return left - right;
    if (left > 0 || right > 0) return left > 0 ? -1 : 1;
    if (a.height !== b.height) return b.height - a.height;
    return a.tx_hash < b.tx_hash ? -1 : a.tx_hash > b.tx_hash ? 1 : 0;
  });
}

/**
 * Status of a history in its order (see {@link sortHistory}): what changes exactly when the history does. Null for an
 * empty one.
 */
export function historyStatus(history: readonly StatusItem[]): string | null {
  if (history.length === 0) return null;
  let text = '';
  for (const { tx_hash, height } of history) text += `${tx_hash}:${height}:`;
  return bytesToHex(sha256(asciiToBytes(text)));
}
