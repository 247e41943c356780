import { type CoinDefinition, resolveCoin } from '@headframe/coins';
import { createShareHasher, powAlgorithm } from '@headframe/hashing';
import { describe, expect, it } from 'vitest';
import {
  assembleBlock,
  buildCoinbase,
  buildHeader,
  coinbaseWithWitness,
  evaluateShare,
  foldBranch,
  type HashableJob,
  hashToDifficulty,
  mergeVersion,
  merkleBranch,
  merkleRoot,
  networkDifficulty,
  networkTargetBytes,
  parseHeader,
  parseTemplate,
  sha256d,
  witnessCommitment,
  witnessCommitmentScript,
} from '../src/index.js';
import {
  bytes,
  display,
  fromStratumPrevhash,
  hex,
  internal,
  loadVectors,
  oracleHasher,
  scryptPow,
  sha256dPow,
} from './oracle.js';

const vectors = loadVectors('stratum-v1.json');
const u32 = (text: string): number => Number.parseInt(text, 16);
const hashers = (['node', 'scalar', 'simd'] as const).map((backend) => createShareHasher({ backend }));
const MAX_TARGET = new Uint8Array(32).fill(255);

type NotifyParams = [string, string, string, string, string[], string, string, string, boolean];

interface StratumVector {
  readonly subscribe: { readonly extranonce1: string; readonly extranonce2Size: number };
  readonly notifyParams: NotifyParams;
  readonly submitParams: string[];
  readonly versionMask?: string;
}

/** What a server knows of a job, from what it told the miner, and what the miner answered. */
function readStratum(vector: StratumVector) {
  const [, prevhash, coinb1, coinb2, branch, version, nbits] = vector.notifyParams;
  const [, , extranonce2 = '', ntime = '', nonce = '', bits = '0'] = vector.submitParams;
  const extranonce = bytes(vector.subscribe.extranonce1 + extranonce2);
  expect(extranonce2.length).toBe(2 * vector.subscribe.extranonce2Size);
  const networkTarget = networkTargetBytes(u32(nbits));
  if (networkTarget === undefined) throw new Error('unusable bits in a vector');
  const job: HashableJob = {
    coinbase1: bytes(coinb1),
    coinbase2: bytes(coinb2),
    extranonceLength: extranonce.length,
    merkleBranch: bytes(branch.join('')),
    previousHash: fromStratumPrevhash(prevhash),
    nbits: u32(nbits),
    algorithm: 'sha256d',
    networkTarget,
  };
  return {
    job,
    version: mergeVersion(u32(version), u32(vector.versionMask ?? '0'), u32(bits)),
    ntime: u32(ntime),
    nonce: u32(nonce),
    extranonce,
    shareTarget: MAX_TARGET,
    coinbase: Uint8Array.from([...job.coinbase1, ...extranonce, ...job.coinbase2]),
  };
}

describe.each(vectors.blocks as { name: string }[])('block $name', (entry) => {
  // biome-ignore lint/suspicious/noExplicitAny: test data with many shapes
  const block = entry as any;

  it('its header builds, parses and hashes', () => {
    const { header } = block;
    const fields = {
      version: header.version >>> 0,
      previousHash: internal(header.previousBlockHash),
      merkleRoot: internal(header.merkleRoot),
      ntime: header.time,
      nbits: u32(header.bits),
      nonce: u32(header.nonceHex),
    };
    expect(hex(buildHeader(fields))).toBe(header.hex);
    expect(parseHeader(bytes(header.hex))).toEqual(fields);
    expect(display(sha256d(bytes(header.hex)))).toBe(block.hash);
    expect(u32(header.versionHex)).toBe(fields.version);
    expect(u32(header.timeHex)).toBe(fields.ntime);
  });

  it('its targets and difficulties', () => {
    const target = networkTargetBytes(u32(block.header.bits));
    expect(target && display(target)).toBe(block.networkTarget);
    expect(networkDifficulty(target ?? MAX_TARGET, 1) / block.networkDifficulty).toBeCloseTo(1, 12);
    expect(hashToDifficulty(internal(block.hash), 1) / block.hashDifficulty).toBeCloseTo(1, 12);
  });

  it('its coinbase and merkle branch', () => {
    const nonWitness = bytes(block.coinbase.nonWitnessHex);
    expect(display(sha256d(nonWitness))).toBe(block.coinbase.txid);
    const full = block.witness ? coinbaseWithWitness(nonWitness) : nonWitness;
    expect(hex(full)).toBe(block.coinbase.asSerializedInBlockHex);
    const branch = bytes(block.merkleBranch.join(''));
    expect(display(foldBranch(internal(block.coinbase.txid), branch))).toBe(block.header.merkleRoot);
    if (block.txids !== undefined) {
      const txids = block.txids.map(internal);
      expect(hex(merkleBranch(txids.slice(1)))).toBe(hex(branch));
      expect(display(merkleRoot(txids))).toBe(block.header.merkleRoot);
    }
  });

  it('its witness commitment', () => {
    if (block.witness === undefined) {
      expect(block.coinbase.asSerializedInBlockHex).toBe(block.coinbase.nonWitnessHex);
      return;
    }
    const { witness } = block;
    const root = bytes(witness.witnessMerkleRootBytes);
    expect(hex(sha256d(Uint8Array.from([...root, ...bytes(witness.reservedValue)])))).toBe(witness.commitment);
    expect(hex(witnessCommitmentScript(bytes(witness.commitment)))).toBe(witness.commitmentScript);
    expect(block.coinbase.outputs[witness.commitmentOutputIndex].script).toBe(witness.commitmentScript);
    if (block.wtxids !== undefined) {
      expect(hex(witnessCommitment(block.wtxids.slice(1).map(internal)))).toBe(witness.commitment);
    }
  });

  it('is found again from its notify and submit', () => {
    const { expect: expected } = block.stratum;
    const share = readStratum(block.stratum);
    const verdict = evaluateShare(oracleHasher, sha256dPow, share);
    for (const hasher of hashers) {
      expect(evaluateShare(hasher, powAlgorithm('sha256d'), share), hasher.backend).toEqual(verdict);
    }
    expect(hex(verdict.header)).toBe(expected.header);
    expect(hex(verdict.header)).toBe(block.header.hex);
    expect(display(verdict.hash)).toBe(expected.hash);
    expect(verdict.pow).toEqual(verdict.hash);
    expect(verdict.meetsNetworkTarget).toBe(expected.isBlock);
    expect(verdict.meetsShareTarget).toBe(true);
    expect(display(sha256d(share.coinbase))).toBe(expected.coinbaseTxid);
    expect(display(verdict.header.subarray(36, 68))).toBe(expected.merkleRoot);
    // One bit off and it is no block any more, nor a share of its own difficulty.
    const wrong = evaluateShare(oracleHasher, sha256dPow, {
      ...share,
      nonce: share.nonce ^ 1,
      shareTarget: verdict.hash,
    });
    expect(wrong.meetsNetworkTarget).toBe(false);
    expect(wrong.meetsShareTarget).toBe(false);
    // The bound itself belongs to the target.
    expect(evaluateShare(oracleHasher, sha256dPow, { ...share, shareTarget: verdict.hash }).meetsShareTarget).toBe(
      true,
    );
  });
});

describe.each(vectors.shares as { name: string }[])('share $name', (entry) => {
  // biome-ignore lint/suspicious/noExplicitAny: test data with many shapes
  const vector = entry as any;

  it('has the header, hash and difficulty it should', () => {
    const { expect: expected } = vector;
    if (vector.headerInputs !== undefined) {
      const { version, stratumPrevhash, merkleRootBytes, ntime, nbits, nonce } = vector.headerInputs;
      const header = buildHeader({
        version: u32(version),
        previousHash: fromStratumPrevhash(stratumPrevhash),
        merkleRoot: bytes(merkleRootBytes),
        ntime: u32(ntime),
        nbits: u32(nbits),
        nonce: u32(nonce),
      });
      expect(hex(header)).toBe(expected.header);
      expect(display(sha256d(header))).toBe(expected.hash);
      expect(hashToDifficulty(sha256d(header), 1) / expected.difficulty).toBeCloseTo(1, 12);
      return;
    }
    const share = readStratum(vector);
    const verdict = evaluateShare(oracleHasher, sha256dPow, share);
    for (const hasher of hashers) {
      expect(evaluateShare(hasher, powAlgorithm('sha256d'), share), hasher.backend).toEqual(verdict);
    }
    expect(hex(share.coinbase)).toBe(expected.coinbaseHex);
    expect(display(sha256d(share.coinbase))).toBe(expected.coinbaseTxid);
    expect(hex(verdict.header.subarray(36, 68))).toBe(expected.merkleRootBytes);
    expect(hex(verdict.header)).toBe(expected.header);
    expect(display(verdict.hash)).toBe(expected.hash);
    expect(hashToDifficulty(verdict.pow, 1) / expected.difficulty).toBeCloseTo(1, 12);
    // The documentation share was in fact a block of its testnet.
    expect(verdict.meetsNetworkTarget).toBe(expected.difficulty >= networkDifficulty(share.job.networkTarget, 1));
    if (vector.thirdPartyExpect !== undefined) {
      expect(hex(verdict.header.subarray(36, 68))).toBe(vector.thirdPartyExpect.merkleRootBytes);
      expect(Math.floor(hashToDifficulty(verdict.pow, 1))).toBe(vector.thirdPartyExpect.integerDifficulty);
    }
  });
});

describe.each(vectors.templates as { name: string }[])('template: $name', (entry) => {
  // biome-ignore lint/suspicious/noExplicitAny: test data with many shapes
  const vector = entry as any;

  it('leads to the block that was submitted', () => {
    const template = parseTemplate(vector.gbt, resolveCoin('bitcoin', 'main'));
    const share = readStratum(vector);
    expect(template.previousHash).toEqual(share.job.previousHash);
    expect(template.networkTarget).toEqual(share.job.networkTarget);
    expect(merkleBranch(template.transactions.map(({ txid }) => txid))).toEqual(share.job.merkleBranch);
    const verdict = evaluateShare(oracleHasher, sha256dPow, share);
    expect(hex(verdict.header)).toBe(vector.expect.header);
    expect(display(verdict.hash)).toBe(vector.expect.hash);
    expect(verdict.meetsNetworkTarget).toBe(vector.expect.isBlock);
    const block = assembleBlock({ template, header: verdict.header, coinbase: share.coinbase });
    const original = vectors.blocks.find(({ name }: { name: string }) => name === vector.blockRef);
    expect(hex(block)).toBe(original.fullBlockHex);
    if (typeof vector.expect.submitblockHex === 'string') expect(hex(block)).toBe(vector.expect.submitblockHex);
    expect(Object.keys(vector.expect).sort()).toEqual(['hash', 'header', 'isBlock', 'submitblockHex']);
  });
});

describe('other proofs of work', () => {
  const scrypt = vectors.altHeaders.filter(({ algorithm }: { algorithm: string }) => algorithm.startsWith('scrypt'));
  it.each(scrypt as { name: string }[])('$name', (entry) => {
    // biome-ignore lint/suspicious/noExplicitAny: test data with many shapes
    const vector = entry as any;
    const header = bytes(vector.header);
    expect(display(sha256d(header))).toBe(vector.blockHash);
    const pow = scryptPow.hash(header);
    expect(display(pow)).toBe(vector.powHash);
    expect(powAlgorithm('scrypt').hash(header)).toEqual(pow);
    expect(display(networkTargetBytes(u32(vector.bits)) ?? MAX_TARGET)).toBe(vector.target);
    expect(parseHeader(header).nbits).toBe(u32(vector.bits));
    expect(hashToDifficulty(pow, 65536) / vector.shareDifficultyScrypt).toBeCloseTo(1, 12);
  });

  const zcash = vectors.altHeaders.filter(({ header140 }: { header140?: string }) => header140 !== undefined);
  it.each(zcash as { name: string }[])('the hash of $name', (entry) => {
    // biome-ignore lint/suspicious/noExplicitAny: test data with many shapes
    const vector = entry as any;
    expect(display(sha256d(bytes(vector.fullHeader)))).toBe(vector.blockHash);
    expect(display(networkTargetBytes(u32(vector.fields.bits)) ?? MAX_TARGET)).toBe(vector.target);
  });

  it('covers every entry', () => {
    expect(scrypt.length + zcash.length).toBe(vectors.altHeaders.length);
  });

  it('a scrypt share is judged by its scrypt hash and named by its SHA-256d hash', () => {
    const header = bytes(vectors.altHeaders[0].header);
    const fields = parseHeader(header);
    // A job without branch whose coinbase cannot be known: a hasher that answers with the real header stands in.
    const job: HashableJob = {
      coinbase1: new Uint8Array(0),
      coinbase2: new Uint8Array(0),
      extranonceLength: 1,
      merkleBranch: new Uint8Array(0),
      previousHash: fields.previousHash,
      nbits: fields.nbits,
      algorithm: 'scrypt',
      networkTarget: networkTargetBytes(fields.nbits) ?? MAX_TARGET,
    };
    const replay = {
      ...oracleHasher,
      hash: (_jobs: unknown, _records: unknown, _count: number, results: Uint8Array) => {
        results.set(header, 0);
        results.set(sha256d(header), 80);
      },
    };
    const verdict = evaluateShare(replay, scryptPow, {
      job,
      version: 1,
      ntime: 0,
      nonce: 0,
      extranonce: Uint8Array.of(0),
      shareTarget: job.networkTarget,
    });
    expect(display(verdict.hash)).toBe(vectors.altHeaders[0].blockHash);
    expect(display(verdict.pow)).toBe(vectors.altHeaders[0].powHash);
    expect(verdict.meetsNetworkTarget).toBe(true);
    expect(verdict.meetsShareTarget).toBe(true);
  });
});

describe('Litecoin with MWEB', () => {
  const litecoin = resolveCoin('litecoin', 'regtest');
  const gbt = loadVectors('gbt/litecoin-gbt-mweb.json');
  const block = loadVectors('gbt/litecoin-block-mweb-v2.json');

  it('transactions, root and commitment of the template are those of the block that was mined from it', () => {
    const template = parseTemplate(gbt, litecoin);
    expect(template.height).toBe(block.height);
    expect(display(template.previousHash)).toBe(block.previousblockhash);
    const [coinbase, ...others] = block.tx as { txid: string; hash: string; hex: string }[];
    if (coinbase === undefined) throw new Error('no coinbase in the vector');
    expect(template.transactions.map(({ txid }) => display(txid))).toEqual(others.map(({ txid }) => txid));
    // The hash of the HogEx equals its txid; a hash over its data with the MWEB flag would not.
    expect(template.transactions.map(({ hash }) => display(hash))).toEqual(others.map(({ hash }) => hash));
    const branch = merkleBranch(template.transactions.map(({ txid }) => txid));
    expect(display(foldBranch(internal(coinbase.txid), branch))).toBe(block.merkleroot);
    const commitment = witnessCommitmentScript(witnessCommitment(template.transactions.map(({ hash }) => hash)));
    expect(template.witnessCommitment).toEqual(commitment);
  });

  it('the block is header, coinbase with witness, transactions, 01, extension block', () => {
    const template = parseTemplate(gbt, litecoin);
    const mined = (block.tx as { hex: string }[])[0]?.hex ?? '';
    // The coinbase in the vector has its witness: take it out.
    const nonWitness = mined.slice(0, 8) + mined.slice(12, -76) + mined.slice(-8);
    const header = buildHeader({
      version: block.version >>> 0,
      previousHash: internal(block.previousblockhash),
      merkleRoot: internal(block.merkleroot),
      ntime: block.time,
      nbits: u32(block.bits),
      nonce: block.nonce,
    });
    expect(display(sha256d(header))).toBe(block.hash);
    const assembled = hex(assembleBlock({ template, header, coinbase: bytes(nonWitness) }));
    const transactions = (gbt.transactions as { data: string }[]).map(({ data }) => data).join('');
    expect(assembled).toBe(`${hex(header)}05${mined}${transactions}01${gbt.mweb}`);
    // getblock counts the extension block in.
    expect(assembled.length / 2).toBe(block.size);
  });
});

describe('Dash', () => {
  const [vector] = vectors.specialCoinbases;
  const definition: CoinDefinition = {
    name: 'dashlike',
    symbol: 'DSH',
    algorithm: 'sha256d',
    blockSpacingSeconds: 150,
    coinbasePayload: true,
    networks: { main: { p2pkh: [76], p2sh: [16], rpcPort: 9998, p2pPort: 9999 } },
  };

  it('the real coinbase splits around its extranonce and hashes to its txid', () => {
    expect(display(sha256d(bytes(vector.hex)))).toBe(vector.txid);
  });

  it('the payload of a template ends up as in the real coinbase', () => {
    const template = parseTemplate(
      {
        version: 0x20000000,
        previousblockhash: '00'.repeat(32),
        transactions: [],
        coinbasevalue: Number(vector.outputs[0].value) + Number(vector.outputs[1].value),
        curtime: 1_586_000_000,
        bits: '1d00ffff',
        height: vector.height,
        coinbase_payload: vector.payload,
        coinbaseaux: { flags: '' },
        rules: [],
      },
      resolveCoin(definition, 'main'),
    );
    // Same scriptSig: height, then stamp, extranonce and tag take the place of the pool's text.
    const script = bytes(vector.scriptSig);
    const built = buildCoinbase({
      template: {
        ...template,
        requiredOutputs: [{ script: bytes(vector.outputs[1].script), amount: BigInt(vector.outputs[1].value) }],
      },
      outputs: [{ script: bytes(vector.outputs[0].script) }],
      poolTag: script.slice(16),
      stamp: Buffer.from(script).readUInt32BE(4),
      extranonceLength: 8,
    });
    const whole = hex(built.coinbase1) + hex(script.subarray(8, 16)) + hex(built.coinbase2);
    expect(whole).toBe(vector.hex);
    expect(whole.startsWith(vector.versionBytes)).toBe(true);
    expect(built.reward).toBe(BigInt(vector.outputs[0].value));
  });
});
