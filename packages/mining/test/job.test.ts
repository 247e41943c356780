import { resolveCoin } from '@headframe/coins';
import { SHARE_RECORD } from '@headframe/hashing';
import { describe, expect, it } from 'vitest';
import {
  assembleBlock,
  buildJob,
  deriveJob,
  evaluateShare,
  FIRST_DERIVED_JOB_ID,
  hashableJob,
  hashToDifficulty,
  type JobOptions,
  jobIdToHex,
  packShare,
  parseTemplate,
} from '../src/index.js';
import { bytes, dsha, hex, loadVectors, oracleHasher, sha256dPow } from './oracle.js';

const coin = resolveCoin('bitcoin', 'regtest');
const template = parseTemplate(loadVectors('gbt/bcoin-gbt-mempool.json'), coin);
const outputs = [{ script: bytes(`0014${'77'.repeat(20)}`) }];
const options = (changes: Partial<JobOptions> = {}): JobOptions => ({
  id: 0x68000001,
  coin,
  variants: [
    { extranonceLength: 12, outputs },
    { key: '16/other', extranonceLength: 16, outputs: [{ script: bytes('51') }] },
  ],
  poolTag: new TextEncoder().encode('/t/'),
  nowMs: 1234,
  clean: true,
  ...changes,
});

describe('buildJob', () => {
  const job = buildJob(template, options());

  it('carries the template to the edge', () => {
    expect(job).toMatchObject({
      id: 0x68000001,
      baseId: 0x68000001,
      height: template.height,
      version: 0x20000000,
      versionMask: 0x1fffe000,
      nbits: 0x207fffff,
      minTime: template.minTime,
      clean: true,
      createdAtMs: 1234,
      reward: template.coinbaseValue,
      algorithm: 'sha256d',
    });
    expect(job.previousHash).toEqual(template.previousHash);
    expect(job.merkleBranch).toEqual(template.transactions[0]?.txid);
    expect(job.ntime).toBe(Math.max(template.currentTime, template.minTime));
    expect(job.networkDifficulty).toBe(hashToDifficulty(template.networkTarget, 1));
    expect(job.variants.map(({ key }) => key)).toEqual(['12/main', '16/other']);
  });

  it('clears the bits that may be rolled, and only those', () => {
    // A version inherited with signalling bits made every share of some miners wrong.
    const signalling = { ...template, version: 0x32ef0004 };
    expect(buildJob(signalling, options()).version).toBe(0x20000004);
    expect(buildJob(signalling, options({ versionMask: 0 }))).toMatchObject({ version: 0x32ef0004, versionMask: 0 });
    expect(buildJob({ ...template, version: 0xffffffff }, options()).version).toBe(0xe0001fff);
  });

  it('starts from the lowest time the node takes when its clock is behind', () => {
    const late = { ...template, currentTime: 100, minTime: 200 };
    expect(buildJob(late, options()).ntime).toBe(200);
  });

  it('knows the network difficulty in units of the coin', () => {
    const litecoin = resolveCoin('litecoin', 'regtest');
    const ratio = buildJob(template, options({ coin: litecoin })).networkDifficulty / job.networkDifficulty;
    expect(ratio).toBe(65536);
  });

  it('refuses ids, extranonces and variants that cannot be', () => {
    const bad: Partial<JobOptions>[] = [
      { id: -1 },
      { id: FIRST_DERIVED_JOB_ID },
      { id: 1.5 },
      { variants: [] },
      { variants: [{ extranonceLength: 0, outputs }] },
      { variants: [{ extranonceLength: 21, outputs }] },
      {
        variants: [
          { extranonceLength: 12, outputs },
          { extranonceLength: 12, outputs },
        ],
      },
    ];
    for (const changes of bad) {
      expect(() => buildJob(template, options(changes)), JSON.stringify(changes)).toThrow(
        expect.objectContaining({ code: 'invalid_argument' }),
      );
    }
  });

  it('the longest variant decides whether the scriptSig fits', () => {
    const poolTag = new Uint8Array(100 - 3 - template.coinbaseAux.length - 4 - 12);
    buildJob(template, options({ poolTag, variants: [{ extranonceLength: 12, outputs }] }));
    expect(() => buildJob(template, options({ poolTag }))).toThrow(
      expect.objectContaining({ code: 'coinbase_too_large' }),
    );
  });
});

describe('deriveJob', () => {
  const job = buildJob(template, options());
  const derived = deriveJob(job, 0x80000007, 5678);

  it('changes the stamp and nothing else of the work', () => {
    expect(derived).toMatchObject({ id: 0x80000007, baseId: job.id, clean: false, createdAtMs: 5678 });
    derived.variants.forEach((variant, i) => {
      const original = job.variants[i];
      if (original === undefined) throw new Error('a variant is missing');
      expect(variant.coinbase2).toEqual(original.coinbase2);
      const { stampOffset } = original;
      expect(hex(original.coinbase1.subarray(stampOffset, stampOffset + 4))).toBe('68000001');
      expect(hex(variant.coinbase1.subarray(stampOffset, stampOffset + 4))).toBe('80000007');
      const restored = variant.coinbase1.slice();
      restored.set(original.coinbase1.subarray(stampOffset, stampOffset + 4), stampOffset);
      expect(restored).toEqual(original.coinbase1);
    });
    expect(job.id).toBe(0x68000001);
  });

  it('can be derived again, keeping the base', () => {
    expect(deriveJob(derived, 0xffffffff, 1)).toMatchObject({ id: 0xffffffff, baseId: job.id });
  });

  it('takes ids of derived jobs only', () => {
    for (const id of [0, 0x7fffffff, 2 ** 32, 0x80000000 + 0.5]) {
      expect(() => deriveJob(job, id, 0), String(id)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    }
  });

  it('its headers differ from those of the original for the same answer', () => {
    const answer = {
      version: 0x20000000,
      ntime: 1,
      nonce: 2,
      extranonce: new Uint8Array(12),
      shareTarget: new Uint8Array(32),
    };
    const [first, second] = [job, derived].map((record) =>
      evaluateShare(oracleHasher, sha256dPow, { job: hashableJob(record, '12/main'), ...answer }),
    );
    expect(first?.hash).not.toEqual(second?.hash);
  });
});

describe('hashableJob', () => {
  it('is the same object for the same job and key', () => {
    const job = buildJob(template, options());
    expect(hashableJob(job, '12/main')).toBe(hashableJob(job, '12/main'));
    expect(hashableJob(job, '12/main')).not.toBe(hashableJob(job, '16/other'));
    expect(hashableJob(deriveJob(job, 0x80000001, 0), '12/main')).not.toBe(hashableJob(job, '12/main'));
  });
  it('names an unknown variant', () => {
    expect(() => hashableJob(buildJob(template, options()), '8/main')).toThrow(
      expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining('8/main') }),
    );
  });
});

describe('a share of a job', () => {
  const job = buildJob(template, options());

  it('that meets the target makes a block whose merkle root holds', () => {
    const hashable = hashableJob(job, '12/main');
    const extranonce = Uint8Array.from({ length: 12 }, (_, i) => i);
    // Regtest: every second nonce is a block.
    for (let nonce = 0; nonce < 64; nonce++) {
      const share = {
        job: hashable,
        version: job.version,
        ntime: job.ntime,
        nonce,
        extranonce,
        shareTarget: job.networkTarget,
      };
      const verdict = evaluateShare(oracleHasher, sha256dPow, share);
      expect(verdict.meetsShareTarget).toBe(verdict.meetsNetworkTarget);
      if (!verdict.meetsNetworkTarget) continue;
      const coinbase = Uint8Array.from([...hashable.coinbase1, ...extranonce, ...hashable.coinbase2]);
      const root = dsha(dsha(coinbase), template.transactions[0]?.txid ?? new Uint8Array(0));
      expect(hex(verdict.header.subarray(36, 68))).toBe(hex(root));
      const block = assembleBlock({ template, header: verdict.header, coinbase });
      expect(hex(block.subarray(0, 80))).toBe(hex(verdict.header));
      return;
    }
    throw new Error('no block in 64 nonces');
  });

  it('is packed with a padded extranonce, over whatever lay there', () => {
    const records = new Uint8Array(3 * SHARE_RECORD.stride).fill(255);
    packShare(records, 1, {
      job: hashableJob(job, '12/main'),
      version: 0x3fffe004,
      ntime: 0x01020304,
      nonce: 0xfffefdfc,
      extranonce: new Uint8Array(12).fill(0xaa),
      shareTarget: new Uint8Array(32),
    });
    const text = hex(records);
    expect(text.slice(0, 64)).toBe('ff'.repeat(32));
    expect(text.slice(64, 128)).toBe(`04e0ff3f04030201fcfdfeff${'aa'.repeat(12)}${'00'.repeat(8)}`);
    expect(text.slice(128)).toBe('ff'.repeat(32));
  });

  it('with an extranonce of another length is refused', () => {
    const share = { job: hashableJob(job, '12/main'), version: 0, ntime: 0, nonce: 0, shareTarget: new Uint8Array(32) };
    for (const length of [0, 11, 13]) {
      expect(() => packShare(new Uint8Array(32), 0, { ...share, extranonce: new Uint8Array(length) })).toThrow(
        expect.objectContaining({ code: 'invalid_argument' }),
      );
    }
  });
});

it('job ids are 8 hex digits', () => {
  expect(jobIdToHex(0)).toBe('00000000');
  expect(jobIdToHex(0x68aabbcc)).toBe('68aabbcc');
  expect(jobIdToHex(0xffffffff)).toBe('ffffffff');
});
