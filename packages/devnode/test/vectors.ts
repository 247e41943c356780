import { readFileSync } from 'node:fs';

export interface RealBlock {
  readonly name: string;
  readonly network: string;
  readonly height: number;
  readonly hash: string;
  readonly txCount: number;
  readonly header: string;
  readonly merkleBranch: readonly string[];
  readonly coinbase: {
    readonly txid: string;
    readonly nonWitnessHex: string;
    readonly asSerializedInBlockHex: string;
  };
  readonly txids?: readonly string[];
  readonly wtxids?: readonly string[];
  readonly fullBlockHex?: string;
  readonly witness?: {
    readonly witnessMerkleRootBytes: string;
    readonly reservedValue: string;
    readonly commitment: string;
  };
}

interface RealBlocks {
  readonly blocks: readonly RealBlock[];
  readonly scryptHeaders: readonly {
    readonly name: string;
    readonly header: string;
    readonly blockHash: string;
    readonly powHash: string;
  }[];
}

/** Real blocks of Bitcoin's main and test chains and scrypt headers of other chains; each entry names its source. */
export const realBlocks: RealBlocks = JSON.parse(
  readFileSync(new URL('./vectors/real-blocks.json', import.meta.url), 'utf8'),
);
