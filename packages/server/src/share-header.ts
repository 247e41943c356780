import type { SubmitFields } from '@headframe/stratum-v1';
import type { ChannelJob } from './channel-job.js';
import type { Share } from './share.js';

/** Puts into a share what its header is made of: the job's part and the miner's. */
export function fillHeader<Account>(share: Share<Account>, job: ChannelJob, fields: SubmitFields): void {
  share.ntime = fields.ntime;
  share.nonce = fields.nonce;
  setExtranonce(share, job, fields);
  setVersion(share, job, fields.versionBits);
}

/** extranonce1 | extranonce2, into the share's own buffer. */
function setExtranonce(share: Pick<Share, 'extranonce'>, job: ChannelJob, fields: SubmitFields): void {
  const { prefix } = job;
  const { extranonce2, extranonce2Length: length } = fields;
  const start = prefix.length;
  if (share.extranonce.length !== start + length) share.extranonce = new Uint8Array(start + length);
  const out = share.extranonce;
  for (let i = 0; i < start; i++) out[i] = prefix[i] ?? 0;
  for (let i = 0; i < length; i++) out[start + i] = extranonce2[i] ?? 0;
}

/**
 * The header's version. Bits inside the mask replace the job's (BIP 310). Bits that were not negotiated are refused
 * later, but the header is built with those of them that the chain lets roll: should it be a block, it is one.
 */
function setVersion(share: Pick<Share, 'version' | 'hasForeignBits'>, job: ChannelJob, bits: number): void {
  const { version, versionMask: legal } = job.record;
  const mask = job.versionMask;
  share.hasForeignBits = false;
  if (bits <= 0) {
    share.version = bits < 0 || mask === 0 ? version : (version & ~mask) >>> 0;
    return;
  }
  if ((bits & ~mask) === 0) {
    share.version = ((version & ~mask) | bits) >>> 0;
    return;
  }
  // Without a negotiated mask some firmware repeats the job's version: nothing rolled.
  share.hasForeignBits = !(mask === 0 && bits === version);
  const rolled = (legal | mask) >>> 0;
  share.version = ((version & ~rolled) | (bits & rolled)) >>> 0;
}
