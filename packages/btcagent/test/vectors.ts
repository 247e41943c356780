import { readFileSync } from 'node:fs';

interface Vectors {
  readonly source: string;
  readonly captured: Readonly<Record<string, string>>;
  readonly derived: Readonly<Record<string, string>> & {
    readonly setDiff_exp63_65535_sids: {
      readonly totalLength: number;
      readonly sha256: string;
      readonly frameLengths: readonly number[];
      readonly counts: readonly number[];
    };
  };
  readonly expected: {
    readonly submit_job_a9_sid1122: {
      readonly jobId: number;
      readonly sid: number;
      readonly extranonce2_32: string;
      readonly fullExtranonce2Hex: string;
      readonly nonce: string;
      readonly ntime: null;
    };
    readonly coinbaseExtranonceBytes: string;
  } & Readonly<Record<string, unknown>>;
  readonly registerTail: readonly { readonly tailHex: string; readonly agent: string; readonly worker: string }[];
}

export interface ExpectedWorker {
  readonly sid: number;
  readonly agent: string;
  readonly worker: string;
}

export const vectors: Vectors = JSON.parse(readFileSync(new URL('./vectors/btcagent.json', import.meta.url), 'utf8'));

/** Hex to bytes. */
export function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}
