import { bytesToHex, u32ToHex } from '@headframe/primitives';
import { isStratumError, StratumError } from '@headframe/stratum-v1';
import type { FoundShare } from './search.js';
import type { StratumClient } from './stratum-client.js';

/** What a pool said to a share. A refusal is a value: it is ordinary, and it is counted, not thrown. */
export type SubmitOutcome =
  | { readonly accepted: true }
  | {
      readonly accepted: false;
      /** `rejectCode`, `stratumCode` (the number on the wire) and `reason` (the text) say why. */
      readonly error: StratumError;
    };

const ACCEPTED: SubmitOutcome = Object.freeze({ accepted: true });

/** Sends a share. @throws PoolError (as a rejection) when no answer came */
export async function submitShare(
  client: StratumClient,
  username: string,
  share: Omit<FoundShare, 'hash'>,
): Promise<SubmitOutcome> {
  const params = [username, share.jobId, bytesToHex(share.extranonce2), u32ToHex(share.ntime), u32ToHex(share.nonce)];
  if (share.versionBits !== undefined) params.push(u32ToHex(share.versionBits));
  try {
    const result = await client.request('mining.submit', params);
    if (result === true) return ACCEPTED;
    return { accepted: false, error: new StratumError('other', 'the pool did not accept the share') };
  } catch (error) {
    if (isStratumError(error)) return { accepted: false, error };
    throw error;
  }
}
