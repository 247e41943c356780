import { readFileSync } from 'node:fs';

/** One notify and, where there is one, the submit that answers it. */
export interface VectorPair {
  readonly name: string;
  readonly source: string;
  readonly notifyParams: readonly unknown[];
  readonly submitParams: readonly string[] | null;
  /** Facts of the block header, where the pair is a block. */
  readonly previousBlockHash?: string;
  readonly version?: number;
  readonly time?: number;
  readonly nonce?: number;
  readonly bits?: string;
}

interface Vectors {
  readonly source: string;
  readonly wordSwap: readonly {
    readonly display: string;
    readonly headerBytes: string;
    readonly stratumPrevhash: string;
  }[];
  readonly pairs: readonly VectorPair[];
}

export const vectors: Vectors = JSON.parse(readFileSync(new URL('./vectors/stratum-v1.json', import.meta.url), 'utf8'));
