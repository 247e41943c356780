import { type Coin, encodeAddress } from '@headframe/coins';
import type { JobRecord, JobVariant } from '@headframe/mining';
import { ByteReader, bytesToHex, concatBytes, reverseBytes, toDisplayHex, u32ToHex } from '@headframe/primitives';
import { ApiProblem } from '../problem.js';
import type { TemplateInfo } from '../schemas/template.js';
import { amountOf } from '../units.js';
import type { PoolView } from '../view.js';

type Output = TemplateInfo['variants'][number]['outputs'][number];

const OP_RETURN = 0x6a;
/** BIP 141: OP_RETURN, a push of 36 bytes, the commitment's tag. */
const COMMITMENT = '6a24aa21a9ed';

/** The job of the moment. @throws ApiProblem `no_job` before the first */
export function templateOf(view: PoolView): TemplateInfo {
  const { job } = view.status();
  if (job === undefined)
    throw new ApiProblem(503, 'no_job', 'there is no job yet: no node gave a template', { 'retry-after': '5' });
  return {
    jobId: u32ToHex(job.id),
    height: job.height,
    previousHash: toDisplayHex(job.previousHash),
    version: u32ToHex(job.version),
    nbits: u32ToHex(job.nbits),
    networkTarget: bytesToHex(reverseBytes(job.networkTarget)),
    networkDifficulty: job.networkDifficulty,
    timeMs: job.ntime * 1000,
    createdMs: job.createdAtMs,
    reward: amountOf(job.reward),
    transactions: view.transactionCount?.(job.baseId) ?? null,
    merkleBranch: branchOf(job),
    variants: job.variants.map((variant) => ({
      key: variant.key,
      extranonceLength: variant.extranonceLength,
      coinbase1: bytesToHex(variant.coinbase1),
      coinbase2: bytesToHex(variant.coinbase2),
      outputs: outputsOf(view.coin, variant),
    })),
  };
}

function branchOf({ merkleBranch }: JobRecord): string[] {
  const steps: string[] = [];
  for (let at = 0; at < merkleBranch.length; at += 32) steps.push(bytesToHex(merkleBranch.subarray(at, at + 32)));
  return steps;
}

/** Reads the outputs back from the bytes that miners get: what is shown is what they work on. */
function outputsOf(coin: Coin, { coinbase1, coinbase2, extranonceLength }: JobVariant): Output[] {
  const reader = new ByteReader(concatBytes(coinbase1, new Uint8Array(extranonceLength), coinbase2));
  // Version, number of inputs (one), outpoint.
  reader.view(4 + 1 + 36);
  reader.view(reader.compactSize());
  reader.view(4);
  const count = reader.compactSize();
  const outputs: Output[] = [];
  for (let i = 0; i < count; i++) {
    const amount = reader.u64le();
    const script = reader.view(reader.compactSize());
    outputs.push(outputOf(coin, amount, script));
  }
  return outputs;
}

function outputOf(coin: Coin, amount: bigint, bytes: Uint8Array): Output {
  const script = bytesToHex(bytes);
  const kind = script.startsWith(COMMITMENT) ? 'witness-commitment' : bytes[0] === OP_RETURN ? 'data' : 'payment';
  return { amount: amountOf(amount), script, address: encodeAddress(coin, bytes) ?? null, kind };
}
