import { type Coin, type CoinDefinition, resolveCoin } from '@headframe/coins';
import { assembleBlock, buildJob, deriveJob, parseTemplate } from '@headframe/mining';
import { concatBytes, isPoolError } from '@headframe/primitives';
import { check, parseJson, tolerate } from '../check.js';
import type { FuzzTarget } from '../run.js';

const MASTERNODES: CoinDefinition = {
  name: 'masternodes',
  symbol: 'MN',
  algorithm: 'sha256d',
  blockSpacingSeconds: 150,
  coinbasePayload: true,
  payees: [
    { kind: 'array-or-object', key: 'masternode' },
    { kind: 'array-or-object', key: 'coinbasetxn.foundation', payeeKey: 'address', amountKey: 'value' },
    { kind: 'flat', unless: ['masternode'] },
  ],
  networks: { main: { p2pkh: [76], p2sh: [16], rpcPort: 9998, p2pPort: 9999 } },
};

const COINS: readonly Coin[] = [
  resolveCoin('bitcoin', 'regtest'),
  resolveCoin('litecoin', 'regtest'),
  resolveCoin(MASTERNODES, 'main'),
];
/** OP_TRUE. */
const SCRIPT = Uint8Array.of(0x51);
const JOB_ID = 0x12345678;

function tryCoin(gbt: unknown, coin: Coin): string {
  let problem = '';
  const template = tolerate(['invalid_template'], () => {
    try {
      return parseTemplate(gbt, coin);
    } catch (error) {
      if (isPoolError(error)) problem = error.message.replace(/\d+/g, '').split(/[ :]/, 1)[0] ?? '';
      throw error;
    }
  });
  if (template === undefined) return problem;
  const job = tolerate(['invalid_template', 'coinbase_too_large'], () =>
    buildJob(template, {
      id: JOB_ID,
      coin,
      variants: [{ extranonceLength: 12, outputs: [{ script: SCRIPT }] }],
      poolTag: Uint8Array.of(1, 2, 3),
      nowMs: 0,
      clean: true,
    }),
  );
  const variant = job?.variants[0];
  if (job === undefined || variant === undefined) return 'no job';
  const { coinbase1, coinbase2, stampOffset } = variant;
  check(new DataView(coinbase1.buffer, coinbase1.byteOffset + stampOffset, 4).getUint32(0) === JOB_ID, 'the stamp');
  check((job.version & job.versionMask) === 0, 'no rollable bit is set');
  check(job.reward >= 0n && job.reward <= template.coinbaseValue, 'a reward within the value of the block');
  check(job.merkleBranch.length % 32 === 0, 'whole steps');
  check(
    deriveJob(job, 0x80000001, 0).variants[0]?.coinbase1.length === coinbase1.length,
    'a derived job of equal size',
  );
  const coinbase = concatBytes(coinbase1, new Uint8Array(12), coinbase2);
  const block = assembleBlock({ template, header: new Uint8Array(80), coinbase });
  check(block.length > 80 + coinbase.length, 'a block');
  return `job with ${template.requiredOutputs.length} payees, ${template.transactions.length} transactions`;
}

export const templateTarget: FuzzTarget = {
  name: 'template',
  promise: 'a getblocktemplate answer becomes a job or an error that says why, for any coin',
  maxBytes: 20_000,
  dictionary: [
    ...['"rules":', '"transactions":', '"coinbaseaux":', '"masternode":', '"mweb":', '"coinbase_payload":', '"payee":'],
    ...[
      '"default_witness_commitment":',
      '"signet_challenge":',
      '"coinbasevalue":',
      '"bits":"',
      '"height":',
      '"amount":',
    ],
    ...['"!segwit"', '"1d00ffff"', '"6a24aa21a9ed', '2100000000000000', '-1', '{"payee":"","script":"51","amount":1}'],
  ],
  run(bytes) {
    const parsed = parseJson(bytes);
    if (parsed === undefined) return 'no JSON';
    return COINS.map((coin) => tryCoin(parsed.value, coin)).join(' | ');
  },
};
